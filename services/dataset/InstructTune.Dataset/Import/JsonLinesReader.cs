using System.Text.Json;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>One object per line, its keys named by the caller's columns.</summary>
internal sealed class JsonLinesReader(IReadOnlyDictionary<string, string> columns) : JsonRowReader
{
    public static readonly IReadOnlyList<string> Fields =
        ["instruction", "input", "output", "references", "choices", "task", "text"];

    protected override Example ToExample(JsonElement row)
    {
        var instruction = row.OptionalText(Key("instruction"));
        var text = row.OptionalText(Key("text"));
        return (instruction, text) switch
        {
            (null, null) => throw RecordInvalidException.Invalid($"neither {Key("instruction")} nor {Key("text")} is there"),
            (not null, not null) => throw RecordInvalidException.Invalid($"both {Key("instruction")} and {Key("text")} are there"),
            (null, { Length: 0 }) => throw RecordInvalidException.Invalid($"{Key("text")} is empty"),
            (null, _) => new Example(new TextPrompt(text), "") { Task = row.OptionalText(Key("task")) ?? "" },
            _ => ToInstruction(row, instruction),
        };
    }

    private Example ToInstruction(JsonElement row, string instruction)
    {
        var references = row.TextList(Key("references"));
        var choices = row.TextList(Key("choices"));
        var output = row.OptionalText(Key("output")) ?? (references.Count > 0
            ? references[0]
            : throw RecordInvalidException.Invalid($"{Key("output")} is missing"));
        if (output.Length == 0)
        {
            throw RecordInvalidException.EmptyOutput(Key("output"));
        }

        if (choices.Count > 0 && !choices.Contains(output))
        {
            throw RecordInvalidException.Invalid($"{Key("output")} is none of {Key("choices")}");
        }

        return new Example(new InstructionPrompt(instruction, row.OptionalText(Key("input")) ?? ""), output)
        {
            References = references,
            Choices = choices,
            Task = row.OptionalText(Key("task")) ?? "",
        };
    }

    private string Key(string field) => columns.GetValueOrDefault(field, field);
}
