using System.Text.Json;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>Rows of `messages` with `role`, `content` and, for assistant turns, `weight` 0 or 1.</summary>
internal sealed class MessagesReader : JsonRowReader
{
    protected override Example ToExample(JsonElement row)
    {
        if (row.TryGetProperty("tools", out var tools) && tools.ValueKind != JsonValueKind.Null)
        {
            throw RecordInvalidException.Invalid("the row has tools, which are not offered in training");
        }

        var turns = new List<Turn>();
        foreach (var (index, message) in ConversationRows.List(row, "messages"))
        {
            turns.Add(ReadTurn(message, $"messages[{index}]"));
        }

        return ConversationRows.ToExample(turns);
    }

    private static Turn ReadTurn(JsonElement message, string place)
    {
        var role = message.RequiredText("role");
        if (role is not ("system" or "user" or "assistant"))
        {
            throw new RecordInvalidException("UNKNOWN_ROLE", $"{place}.role must be system, user or assistant, not `{role}`");
        }

        if (message.TryGetProperty("tool_calls", out var calls) && calls.ValueKind != JsonValueKind.Null)
        {
            throw RecordInvalidException.Invalid($"{place} has tool_calls, which are not offered in training");
        }

        return new Turn(role, Content(message, place), Weight(message, role, place));
    }

    // A text, or a list of parts that are all text.
    private static string Content(JsonElement message, string place)
    {
        if (!message.TryGetProperty("content", out var content))
        {
            throw RecordInvalidException.Invalid($"{place}.content is missing");
        }

        return content.ValueKind == JsonValueKind.Array
            ? string.Concat(content.EnumerateArray().Select(part => part.ValueKind == JsonValueKind.Object && part.OptionalText("type") == "text"
                ? part.RequiredText("text")
                : throw RecordInvalidException.Invalid($"{place}.content has a part that is not text")))
            : RowFields.Text(content, place + ".content");
    }

    private static bool? Weight(JsonElement message, string role, string place)
    {
        if (!message.TryGetProperty("weight", out var weight) || weight.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return role == "assistant" && weight.ValueKind == JsonValueKind.Number && weight.TryGetInt32(out var value) && value is 0 or 1
            ? value == 1
            : throw RecordInvalidException.Invalid($"{place}.weight must be 0 or 1, and stands on assistant messages only");
    }
}
