using System.Text.Json;

namespace InstructTune.Dataset.Import;

/// <summary>Finds the format of a file by the keys of its first records, which must agree.</summary>
internal static class FormatDetector
{
    private const int RecordCount = 100;

    private static readonly string[] AlpacaKeys = ["system", "history"];
    private static readonly string[] JsonLinesKeys = ["references", "choices", "task"];

    private enum Row
    {
        /// <summary>Instruction and output only: reads the same in both row formats.</summary>
        Either,
        Alpaca,
        JsonLines,
        Task,
        Messages,
        ShareGpt,
        Unknown,
    }

    public static SourceFormat Detect(IReadOnlyList<SourceFile> files)
    {
        SourceFormat? found = null;
        foreach (var file in files)
        {
            var format = Detect(file);
            if (found is { } first && first != format)
            {
                throw new SourceInvalidException(
                    file.Name, 1, $"this file looks like {Name(format)}, {files[0].Name} like {Name(first)}; upload one format at a time");
            }

            found = format;
        }

        return found ?? SourceFormat.AlpacaJson;
    }

    private static SourceFormat Detect(SourceFile file)
    {
        if (IsText(file))
        {
            return SourceFormat.PlainText;
        }

        var rows = JsonRecordSource.Read(file).Take(RecordCount)
            .Where(r => r.Object is not null)
            .Select(r => Classify(r.Object!.Value))
            .GroupBy(row => row)
            .ToDictionary(g => g.Key, g => g.Count());
        if (rows.Count == 0)
        {
            throw new SourceInvalidException(file.Name, 1, "no record has keys to tell the format by; name the format");
        }

        var kinds = rows.Keys.Where(row => row != Row.Either).ToList();
        return kinds switch
        {
            [] or [Row.Alpaca] => SourceFormat.AlpacaJson,
            [Row.JsonLines] => SourceFormat.JsonLines,
            [Row.Task] when rows.Count == 1 => SourceFormat.NaturalInstructions,
            [Row.Messages] when rows.Count == 1 => SourceFormat.OpenAiMessages,
            [Row.ShareGpt] when rows.Count == 1 => SourceFormat.ShareGpt,
            _ => throw new SourceInvalidException(file.Name, 1, $"the records do not agree on a format ({Counts(rows)}); name the format"),
        };
    }

    private static Row Classify(JsonElement row)
    {
        if (row.TryGetProperty("Definition", out _) && row.TryGetProperty("Instances", out _))
        {
            return Row.Task;
        }

        if (row.TryGetProperty("messages", out _))
        {
            return Row.Messages;
        }

        if (!row.TryGetProperty("instruction", out _) && row.TryGetProperty("conversations", out _))
        {
            return Row.ShareGpt;
        }

        if (!row.TryGetProperty("instruction", out _))
        {
            return row.TryGetProperty("text", out _) ? Row.JsonLines : Row.Unknown;
        }

        var isAlpaca = AlpacaKeys.Any(key => row.TryGetProperty(key, out _));
        var isJsonLines = JsonLinesKeys.Any(key => row.TryGetProperty(key, out _));
        return (isAlpaca, isJsonLines) switch
        {
            (true, true) => Row.Unknown,
            (true, false) => Row.Alpaca,
            (false, true) => Row.JsonLines,
            _ => Row.Either,
        };
    }

    /// <summary>Text is recognised by its name: any file is text, so its bytes say nothing.</summary>
    private static bool IsText(SourceFile file) => Path.GetExtension(file.Name) is ".txt" or ".text" or ".md";

    private static string Counts(Dictionary<Row, int> rows) =>
        string.Join(", ", rows.OrderBy(r => r.Key).Select(r => $"{r.Value} {Name(r.Key)}"));

    private static string Name(Row row) => row switch
    {
        Row.Alpaca => "like ALPACA_JSON",
        Row.JsonLines => "like JSON_LINES",
        Row.Task => "like NATURAL_INSTRUCTIONS",
        Row.Messages => "like OPENAI_MESSAGES",
        Row.ShareGpt => "like SHAREGPT",
        Row.Either => "with instruction only",
        _ => "with no known keys",
    };

    private static string Name(SourceFormat format) => format switch
    {
        SourceFormat.AlpacaJson => "ALPACA_JSON",
        SourceFormat.JsonLines => "JSON_LINES",
        SourceFormat.NaturalInstructions => "NATURAL_INSTRUCTIONS",
        SourceFormat.OpenAiMessages => "OPENAI_MESSAGES",
        SourceFormat.ShareGpt => "SHAREGPT",
        _ => "PLAIN_TEXT",
    };
}
