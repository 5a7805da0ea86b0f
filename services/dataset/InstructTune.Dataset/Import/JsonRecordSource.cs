using System.Text.Json;
using System.Text.Unicode;

namespace InstructTune.Dataset.Import;

/// <summary>
/// The JSON objects of a file, each with its position: one a line, the elements of one array, or one object printed over several
/// lines. What is no object comes with its problem.
/// </summary>
internal static class JsonRecordSource
{
    // Deeper rows are not instruction data but an attack on the parser's stack.
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>The object is valid until the next record is taken; it is null where there is a problem.</summary>
    internal readonly record struct Record(long Position, JsonElement? Object, RecordInvalidException? Problem);

    public static IEnumerable<Record> Read(SourceFile file)
    {
        using var stream = SourceBytes.Open(file);
        var first = FirstByte(stream);
        if (first == '[')
        {
            return ReadArray(file);
        }

        return first == '{' && IsPrintedOverLines(stream) ? ReadOne(file) : ReadLines(file);
    }

    private static IEnumerable<Record> ReadLines(SourceFile file)
    {
        using var stream = SourceBytes.Open(file);
        foreach (var line in LineSource.Read(stream))
        {
            if (line.IsTooLong)
            {
                yield return Failed(line.Number, $"the line is longer than {LineSource.MaxLineBytes >> 20} MiB");
                continue;
            }

            if (IsBlank(line.Bytes.Span))
            {
                continue;
            }

            using var document = Parse(line.Bytes, out var problem);
            yield return ToRecord(line.Number, document, problem);
        }
    }

    private static IEnumerable<Record> ReadArray(SourceFile file)
    {
        using var stream = SourceBytes.Open(file);
        foreach (var element in new JsonArraySource(stream, file.Name).Read())
        {
            using var document = Parse(element.Bytes, out var problem);
            if (document is null && problem!.Message.StartsWith("not JSON", StringComparison.Ordinal))
            {
                // Where an element is broken, the commas after it cannot be trusted either.
                throw new SourceInvalidException(file.Name, element.Position, $"{problem.Message} (line {element.LineNumber} of the file)");
            }

            yield return ToRecord(element.Position, document, problem);
        }
    }

    private static IEnumerable<Record> ReadOne(SourceFile file)
    {
        using var document = WholeFile.Parse(file, Strict);
        yield return ToRecord(1, document, null);
    }

    /// <summary>True when the first line with text is no JSON value by itself, but the file goes on.</summary>
    private static bool IsPrintedOverLines(FileStream stream)
    {
        foreach (var line in LineSource.Read(stream))
        {
            if (!IsBlank(line.Bytes.Span))
            {
                return !line.IsTooLong && IsCutShort(line.Bytes.Span);
            }
        }

        return false;
    }

    private static bool IsCutShort(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line, isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { MaxDepth = Strict.MaxDepth }));
        try
        {
            while (reader.Read())
            {
            }

            // No string spans lines in JSON: one that does not close is a broken line, not an object over several lines.
            var isWhole = reader is { CurrentDepth: 0, TokenType: JsonTokenType.EndObject };
            return !isWhole && line[(int)reader.BytesConsumed..].IndexOf((byte)'"') < 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static int FirstByte(FileStream stream)
    {
        var start = stream.Position;
        int b;
        do
        {
            b = stream.ReadByte();
        }
        while (b is ' ' or '\t' or '\r' or '\n');

        stream.Position = start;
        return b;
    }

    private static JsonDocument? Parse(ReadOnlyMemory<byte> bytes, out RecordInvalidException? problem)
    {
        problem = null;
        if (!Utf8.IsValid(bytes.Span))
        {
            problem = RecordInvalidException.Invalid("not UTF-8");
            return null;
        }

        try
        {
            return JsonDocument.Parse(bytes, Strict);
        }
        catch (JsonException e)
        {
            problem = RecordInvalidException.Invalid($"not JSON: {JsonProblem.Describe(e)}");
            return null;
        }
    }

    private static Record ToRecord(long position, JsonDocument? document, RecordInvalidException? problem)
    {
        if (document is null)
        {
            return new Record(position, null, problem);
        }

        var root = document.RootElement;
        return root.ValueKind == JsonValueKind.Object
            ? new Record(position, root, null)
            : Failed(position, $"not an object but {JsonProblem.Kind(root.ValueKind)}");
    }

    private static Record Failed(long position, string description) =>
        new(position, null, RecordInvalidException.Invalid(description));

    private static bool IsBlank(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExcept((byte)' ', (byte)'\t', (byte)'\r') < 0;
}
