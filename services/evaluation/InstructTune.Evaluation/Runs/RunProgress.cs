using InstructTune.Jobs;

namespace InstructTune.Evaluation.Runs;

/// <summary>
/// Counts answered questions and says so now and then. Answers are durable, so each report is a checkpoint too: a run that comes
/// further between its faults is tried again without end. Safe to use from any thread.
/// </summary>
internal sealed class RunProgress(JobContext context, long planned, long answered, TimeSpan interval, TimeProvider clock)
{
    // Also a long run keeps its whole history: few events by share of the work, more only when it crawls.
    private const int EventsPerRun = 200;
    private const int LongestSilence = 10;

    private readonly Lock _lock = new();
    private long _answered = answered;
    private long _reported = answered;
    private long _reportedAt = clock.GetTimestamp();

    public double Fraction => planned == 0 ? 1 : Interlocked.Read(ref _answered) / (double)planned;

    public Task AddAsync()
    {
        context.Progressed();
        lock (_lock)
        {
            var count = Interlocked.Increment(ref _answered);
            var silence = clock.GetElapsedTime(_reportedAt);
            var isDue = silence >= interval && ((count - _reported) * EventsPerRun >= planned || silence >= interval * LongestSilence);
            if (count < planned && !isDue)
            {
                return Task.CompletedTask;
            }
            (_reported, _reportedAt) = (count, clock.GetTimestamp());
            // Begun in this order, which is the order in which they are written.
            return Task.WhenAll(
                context.ReportAsync(Body(count), count / (double)planned),
                context.ReportCheckpointAsync($"{count} answers", count));
        }
    }

    private MetricsBody Body(long count) => new(
        count, planned, "", new Dictionary<string, double>(StringComparer.Ordinal) { ["completed_count"] = count, ["planned_count"] = planned });
}
