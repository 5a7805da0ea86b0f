using InstructTune.V1;

namespace InstructTune.Cli.Tracking;

/// <summary>What one optimizer step reported.</summary>
internal sealed record TrainingRow(long Step, long PlannedSteps, string StageId, DateTime Time, IReadOnlyDictionary<string, double> Values)
{
    /// <summary>
    /// The steps of a job in order, each once: where an attempt repeated steps of the one before, what it reported counts.
    /// </summary>
    public static async Task<IReadOnlyList<TrainingRow>> ReadAsync(IAsyncEnumerable<JobEvent> events, CancellationToken ct)
    {
        var rows = new SortedDictionary<long, TrainingRow>();
        await foreach (var change in events.WithCancellation(ct))
        {
            if (change.MetricsReported is { } metrics)
            {
                rows[metrics.Step] = new TrainingRow(
                    metrics.Step, metrics.PlannedSteps, metrics.StageId, change.CreateTime?.ToDateTime() ?? default, metrics.Values);
            }
        }

        return [.. rows.Values];
    }
}
