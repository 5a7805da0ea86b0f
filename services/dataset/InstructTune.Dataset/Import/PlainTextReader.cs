using System.Text;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>Documents separated by blank lines.</summary>
internal sealed class PlainTextReader : ISourceReader
{
    public IEnumerable<SourceRecord> Read(SourceFile file)
    {
        using var stream = SourceBytes.Open(file);
        var document = new StringBuilder();
        Rejection? rejection = null;
        foreach (var line in LineSource.Read(stream))
        {
            var text = "";
            try
            {
                text = line.IsTooLong
                    ? throw RecordInvalidException.Invalid($"the line is longer than {LineSource.MaxLineBytes >> 20} MiB")
                    : SourceBytes.Text(line.Bytes.Span);
            }
            catch (RecordInvalidException e)
            {
                rejection ??= new Rejection(file.Name, line.Number, e.Reason, e.Message);
                continue;
            }

            if (!string.IsNullOrWhiteSpace(text))
            {
                document.Append(document.Length == 0 ? "" : "\n").Append(text);
                continue;
            }

            if (Finish(document, rejection) is { } record)
            {
                yield return record;
            }

            rejection = null;
        }

        if (Finish(document, rejection) is { } last)
        {
            yield return last;
        }
    }

    /// <summary>A document with a broken line is rejected whole.</summary>
    private static SourceRecord? Finish(StringBuilder document, Rejection? rejection)
    {
        if (document.Length == 0 && rejection is null)
        {
            return null;
        }

        var text = document.ToString();
        document.Clear();
        return rejection is null ? new SourceRecord(new Example(new TextPrompt(text), ""), null) : new SourceRecord(null, rejection);
    }
}
