using System.Text.Json;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>Rows of `conversations` with `from` and `value`; a `system` text of the row comes first.</summary>
internal sealed class ShareGptReader : JsonRowReader
{
    protected override Example ToExample(JsonElement row)
    {
        var turns = new List<Turn>();
        if (row.OptionalText("system") is { Length: > 0 } system)
        {
            turns.Add(new Turn("system", system));
        }

        foreach (var (index, turn) in ConversationRows.List(row, "conversations"))
        {
            var speaker = turn.RequiredText("from");
            var role = speaker switch
            {
                "human" or "user" => "user",
                "gpt" or "assistant" => "assistant",
                "system" => "system",
                _ => throw new RecordInvalidException("UNKNOWN_ROLE", $"conversations[{index}].from must be human, gpt or system, not `{speaker}`"),
            };
            turns.Add(new Turn(role, turn.RequiredText("value")));
        }

        return ConversationRows.ToExample(turns);
    }
}
