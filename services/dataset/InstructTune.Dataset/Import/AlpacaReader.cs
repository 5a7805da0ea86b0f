using System.Text.Json;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>Rows of instruction, input, output, system and history. A row with a system text or a history is a conversation.</summary>
internal sealed class AlpacaReader : JsonRowReader
{
    protected override Example ToExample(JsonElement row)
    {
        var instruction = row.RequiredText("instruction");
        var input = row.OptionalText("input") ?? "";
        var output = row.RequiredText("output");
        if (output.Length == 0)
        {
            throw RecordInvalidException.EmptyOutput("output");
        }

        var turns = new List<Turn>();
        if (row.OptionalText("system") is { Length: > 0 } system)
        {
            turns.Add(new Turn("system", system));
        }

        AddHistory(turns, row);
        if (turns.Count == 0)
        {
            return new Example(new InstructionPrompt(instruction, input), output);
        }

        turns.Add(new Turn("user", input.Length == 0 ? instruction : $"{instruction}\n{input}"));
        turns.Add(new Turn("assistant", output));
        return new Example(new ConversationPrompt(turns), "");
    }

    private static void AddHistory(List<Turn> turns, JsonElement row)
    {
        if (!row.TryGetProperty("history", out var history) || history.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (history.ValueKind != JsonValueKind.Array)
        {
            throw RecordInvalidException.Invalid($"history is not a list but {JsonProblem.Kind(history.ValueKind)}");
        }

        var index = 0;
        foreach (var pair in history.EnumerateArray())
        {
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2)
            {
                throw RecordInvalidException.Invalid($"history[{index}] is not a pair of strings");
            }

            turns.Add(new Turn("user", RowFields.Text(pair[0], $"history[{index}][0]")));
            turns.Add(new Turn("assistant", RowFields.Text(pair[1], $"history[{index}][1]")));
            index++;
        }
    }
}
