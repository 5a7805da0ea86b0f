using System.Text.Json;
using InstructTune.Testing;
using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

/// <summary>Whole runs of other trainers, as they logged them.</summary>
internal static class ReferenceRun
{
    public static IReadOnlyList<string> Files(string name) =>
        [.. Directory.EnumerateFiles(FixtureFolder.Require("checkpoints"), name, SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    public static JsonElement Read(string path) => JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;

    /// <summary>A row of `log_history` with what we know of a row and it does not.</summary>
    public static LoggedRow Row(JsonElement entry, long plannedSteps = 0, double elapsedSeconds = 0) => new(
        entry.GetProperty("step").GetInt64(), plannedSteps, "only", 0, elapsedSeconds,
        [.. entry.EnumerateObject().Where(value => value.Name != "step").Select(value => new KeyValuePair<string, double>(value.Name, value.Value.GetDouble()))]);

    public static IReadOnlyList<LoggedRow> Rows(JsonElement state) => [.. state.GetProperty("log_history").EnumerateArray().Select(entry => Row(entry))];
}
