using System.Globalization;
using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>One event of a job as a line of a log.</summary>
internal static class JobEventLine
{
    public static string Of(JobEvent entry) => string.Create(
        CultureInfo.InvariantCulture, $"{Formats.Time(entry.CreateTime)}  {entry.Sequence,6}  attempt {entry.Attempt,2}  {What(entry)}");

    private static string What(JobEvent entry) => entry.EventCase switch
    {
        JobEvent.EventOneofCase.StateChanged when entry.StateChanged is var change =>
            Formats.Lower(change.To) + (change.Cause is { } cause ? $": {cause.Message}" : ""),
        JobEvent.EventOneofCase.PhaseStarted => $"phase {entry.PhaseStarted.Phase}",
        JobEvent.EventOneofCase.StageStarted => string.Create(
            CultureInfo.InvariantCulture, $"stage {entry.StageStarted.StageId}: {entry.StageStarted.PlannedSteps} steps"),
        JobEvent.EventOneofCase.CheckpointSaved => string.Create(CultureInfo.InvariantCulture, $"checkpoint at step {entry.CheckpointSaved.Step}"),
        JobEvent.EventOneofCase.MetricsReported => string.Create(
            CultureInfo.InvariantCulture,
            $"step {entry.MetricsReported.Step} of {entry.MetricsReported.PlannedSteps}: {string.Join(", ", entry.MetricsReported.Values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Key} {value.Value:G6}")))}"),
        JobEvent.EventOneofCase.Notice => $"{entry.Notice.Reason}: {entry.Notice.Text}",
        var other => Formats.Lower(other),
    };
}
