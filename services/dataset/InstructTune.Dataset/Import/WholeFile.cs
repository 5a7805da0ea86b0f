using System.Text.Json;
using System.Text.Unicode;

namespace InstructTune.Dataset.Import;

/// <summary>Parses a file that is one JSON value, which has to be held in memory whole.</summary>
internal static class WholeFile
{
    private const int MaxBytes = 512 << 20;

    public static JsonDocument Parse(SourceFile file, JsonDocumentOptions options)
    {
        using var stream = SourceBytes.Open(file);
        var length = stream.Length - stream.Position;
        if (length > MaxBytes)
        {
            throw new SourceInvalidException(file.Name, 1, $"one JSON object of {length >> 20} MiB; at most {MaxBytes >> 20} MiB are read");
        }

        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        if (!Utf8.IsValid(bytes))
        {
            throw new SourceInvalidException(file.Name, 1, "not UTF-8");
        }

        try
        {
            return JsonDocument.Parse(bytes, options);
        }
        catch (JsonException e)
        {
            throw new SourceInvalidException(
                file.Name, 1, $"not JSON: {JsonProblem.Describe(e)} (line {e.LineNumber.GetValueOrDefault() + 1} of the file)");
        }
    }
}
