using System.Text.Json;
using InstructTune.Dataset.Examples;
using InstructTune.Dataset.Import;
using InstructTune.Testing;
using InstructTune.Unit.Tests.Dataset.Import;

namespace InstructTune.Unit.Tests.Dataset.Parity;

/// <summary>Files in the formats that are read here, good and broken, against the records that a reader must find in them.</summary>
public sealed class FormatFixtureTests
{
    private static readonly string[] OtherContainers = [".gz", ".zst", ".csv", ".tsv", ".parquet"];

    [Fact]
    public void Every_file_yields_the_records_and_findings_of_the_reference()
    {
        var folder = FixtureFolder.Require("formats");
        var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json"))).RootElement;
        var checkedCount = 0;
        foreach (var file in expected.EnumerateObject().Where(f => IsOurs(f.Name, f.Value)))
        {
            Check(new SourceFile(Path.GetFileName(file.Name), Path.Combine(folder, file.Name)), file.Value);
            checkedCount++;
        }

        Assert.True(checkedCount > 20, $"only {checkedCount} files were found");
    }

    private static bool IsOurs(string name, JsonElement expected) =>
        !OtherContainers.Any(e => name.EndsWith(e, StringComparison.Ordinal))
        && !name.StartsWith("not_gzip", StringComparison.Ordinal)
        && !name.StartsWith("gzip_named", StringComparison.Ordinal)
        && expected.GetProperty("format").GetString() is "alpaca" or "text" or "superni" or null;

    private static void Check(SourceFile file, JsonElement expected)
    {
        var format = expected.GetProperty("format").GetString() switch
        {
            "alpaca" => SourceFormat.AlpacaJson,
            "text" => SourceFormat.JsonLines,
            "superni" => SourceFormat.NaturalInstructions,
            _ => SourceFormat.Detect,
        };
        var records = expected.GetProperty("records");
        var options = new SourceOptions { Format = format, MaxRejected = 1000 };
        if (records.ValueKind == JsonValueKind.Null || records.GetArrayLength() == 0)
        {
            // Refused whole, or for its only records: either way nothing of it is imported.
            SourceFolder.Refused(options with { MaxRejected = 0 }, file);
            return;
        }

        var (examples, report) = SourceFolder.Import(options, file);
        Assert.Equal(records.EnumerateArray().Select(r => Describe(r)), examples.Select(Describe));
        Assert.Equal(
            expected.GetProperty("findings").EnumerateArray().Select(f => $"{file.Name} {Position(f)} {f.GetProperty("reason").GetString()}"),
            report.Rejections.Select(r => $"{file.Name} {r.Position} {r.Reason}"));
    }

    private static long Position(JsonElement finding) =>
        finding.TryGetProperty("line", out var line) ? line.GetInt64() : finding.GetProperty("index").GetInt64() + 1;

    private static string Describe(JsonElement record)
    {
        if (record.TryGetProperty("text", out var text))
        {
            return text.GetString()!;
        }

        var history = record.TryGetProperty("history", out var h) && h.ValueKind == JsonValueKind.Array
            ? string.Concat(h.EnumerateArray().Select(p => $"|{p[0].GetString()}|{p[1].GetString()}"))
            : "";
        var system = Optional(record, "system");
        var input = Optional(record, "input");
        var isConversation = history.Length > 0 || system.Length > 0;
        var prompt = isConversation
            ? (system.Length > 0 ? $"|{system}" : "") + history + $"|{record.GetProperty("instruction").GetString()}{(input.Length > 0 ? "\n" + input : "")}"
            : $"{record.GetProperty("instruction").GetString()}#{input}";
        return $"{prompt}|{Output(record.GetProperty("output"))}";
    }

    private static string Describe(Example example) => example.Prompt switch
    {
        TextPrompt text => text.Text,
        ConversationPrompt conversation => string.Concat(conversation.Turns.Select(t => $"|{t.Text}")),
        InstructionPrompt instruction => $"{instruction.Instruction}#{instruction.Input}|{example.Output}",
        _ => "",
    };

    private static string Output(JsonElement output) => output.ValueKind == JsonValueKind.String
        ? output.GetString()!
        : string.Concat(Enumerable.Repeat(output.GetProperty("repeat").GetString()!, output.GetProperty("times").GetInt32()));

    private static string Optional(JsonElement record, string key) =>
        record.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
