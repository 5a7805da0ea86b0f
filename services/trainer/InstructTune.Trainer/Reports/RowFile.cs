using System.Globalization;
using System.Text.Json;

namespace InstructTune.Trainer.Reports;

/// <summary><c>metrics.jsonl</c>: every row with all that is known of it, one a line. The other logs can be made of it again.</summary>
internal static class RowFile
{
    public const string FileName = "metrics.jsonl";

    public static string Line(LoggedRow row) => PythonJson.Line(
    [
        new("step", row.Step),
        new("planned_steps", row.PlannedSteps),
        new("stage", row.StageId),
        new("time", row.UnixSeconds),
        new("elapsed", row.ElapsedSeconds),
        new("values", row.Values.Select(value => new KeyValuePair<string, object?>(value.Key, Plain(value.Value))).ToList()),
    ]);

    public static IEnumerable<LoggedRow> Parse(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            using var json = JsonDocument.Parse(line);
            var row = json.RootElement;
            yield return new LoggedRow(
                row.GetProperty("step").GetInt64(),
                row.GetProperty("planned_steps").GetInt64(),
                row.GetProperty("stage").GetString()!,
                row.GetProperty("time").GetDouble(),
                row.GetProperty("elapsed").GetDouble(),
                [.. row.GetProperty("values").EnumerateObject().Select(value => new KeyValuePair<string, double>(value.Name, Number(value.Value)))]);
        }
    }

    // JSON has no word for them.
    private static object Plain(double value) => double.IsFinite(value) ? value : value.ToString(CultureInfo.InvariantCulture);

    private static double Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture) : value.GetDouble();
}
