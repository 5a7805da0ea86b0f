using System.Text.Json;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>What rows of turns share.</summary>
internal static class ConversationRows
{
    private const int MaxTurns = 1024;

    public static IEnumerable<(int Index, JsonElement Turn)> List(JsonElement row, string key)
    {
        if (!row.TryGetProperty(key, out var list) || list.ValueKind != JsonValueKind.Array)
        {
            throw RecordInvalidException.Invalid($"{key} is not a list");
        }

        if (list.GetArrayLength() is 0 or > MaxTurns)
        {
            throw RecordInvalidException.Invalid($"{key} must have 1 to {MaxTurns} entries");
        }

        foreach (var (index, turn) in list.EnumerateArray().Index())
        {
            yield return turn.ValueKind == JsonValueKind.Object ? (index, turn) : throw RecordInvalidException.Invalid($"{key}[{index}] is not an object");
        }
    }

    /// <summary>A conversation, if an answer in it can be trained on.</summary>
    public static Example ToExample(IReadOnlyList<Turn> turns)
    {
        if (turns.Skip(1).Any(turn => turn.Role == "system"))
        {
            throw new RecordInvalidException("ROLE_ORDER", "a system turn may only come first");
        }

        return turns.Any(turn => turn.Role == "assistant" && turn.Text.Length > 0)
            ? new Example(new ConversationPrompt(turns), "")
            : throw RecordInvalidException.EmptyOutput("the conversation");
    }
}
