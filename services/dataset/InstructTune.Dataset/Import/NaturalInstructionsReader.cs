using System.Text.Json;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>
/// A task file of Natural Instructions. The instruction is the first definition, the output the first reference; the file's name
/// is the task. Older releases have a string where newer ones have a list.
/// </summary>
internal sealed class NaturalInstructionsReader : ISourceReader
{
    public IEnumerable<SourceRecord> Read(SourceFile file)
    {
        using var document = WholeFile.Parse(file, new JsonDocumentOptions { MaxDepth = 64 });
        var root = document.RootElement;
        var definition = Definition(file, root);
        if (!root.TryGetProperty("Instances", out var instances) || instances.ValueKind != JsonValueKind.Array)
        {
            throw new SourceInvalidException(file.Name, 1, "Instances is not a list");
        }

        var task = Path.GetFileNameWithoutExtension(file.Name);
        long position = 0;
        foreach (var instance in instances.EnumerateArray())
        {
            yield return Convert(file.Name, ++position, instance, definition, task);
        }
    }

    private static string Definition(SourceFile file, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new SourceInvalidException(file.Name, 1, "a task file of Natural Instructions is one JSON object");
        }

        try
        {
            return root.TextList("Definition") is [var first, ..]
                ? first
                : throw RecordInvalidException.Invalid("Definition is missing");
        }
        catch (RecordInvalidException e)
        {
            throw new SourceInvalidException(file.Name, 1, e.Message);
        }
    }

    private static SourceRecord Convert(string fileName, long position, JsonElement instance, string definition, string task)
    {
        try
        {
            return new SourceRecord(ToExample(instance, definition, task), null);
        }
        catch (RecordInvalidException e)
        {
            return new SourceRecord(null, new Rejection(fileName, position, e.Reason, e.Message));
        }
    }

    private static Example ToExample(JsonElement instance, string definition, string task)
    {
        if (instance.ValueKind != JsonValueKind.Object)
        {
            throw RecordInvalidException.Invalid($"not an object but {JsonProblem.Kind(instance.ValueKind)}");
        }

        var input = instance.RequiredText("input");
        var references = instance.TextList("output");
        if (references.Count == 0)
        {
            throw RecordInvalidException.Invalid("output is missing");
        }

        if (references[0].Length == 0)
        {
            throw RecordInvalidException.EmptyOutput("output");
        }

        return new Example(new InstructionPrompt(definition, input), references[0]) { References = references, Task = task };
    }
}
