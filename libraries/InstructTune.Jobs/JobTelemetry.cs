using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace InstructTune.Jobs;

/// <summary>What operators see of jobs: an activity per attempt, below the call that created the job, and the queue's figures.</summary>
internal static class JobTelemetry
{
    private const string Name = "InstructTune.Jobs";

    // The figures of the last look of this process's reapers.
    private static readonly ConcurrentDictionary<string, QueueStats> Queues = new(StringComparer.Ordinal);
    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>(
        "instructtune.jobs.attempts", "{attempt}", "Attempts that ended in this process, by how.");

    private static readonly Counter<long> LostLeases = Meter.CreateCounter<long>(
        "instructtune.jobs.lease.lost", "{lease}", "Attempts of this process that lost their job to another.");

    private static readonly Counter<long> Reaped = Meter.CreateCounter<long>(
        "instructtune.jobs.reaped", "{job}", "Jobs that this process took from lost workers or queued because their retry was due.");

    private static readonly Counter<long> RestoredJobs = Meter.CreateCounter<long>(
        "instructtune.jobs.restored", "{job}", "Jobs that the store had lost and that came back from the archive.");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "instructtune.jobs.duration",
        "s",
        "Time that an attempt held its job.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600] });

    static JobTelemetry()
    {
        Meter.CreateObservableGauge(
            "instructtune.jobs.queue.depth", () => Measure(Depths), "{job}", "Jobs that wait for a worker, by queue and priority; those that wait for a retry count as delayed.");
        Meter.CreateObservableGauge(
            "instructtune.jobs.queue.age", () => Measure(stats => [(stats.OldestAge.TotalSeconds, null)]), "s", "How long the first in line has waited.");
        Meter.CreateObservableGauge(
            "instructtune.jobs.running", () => Measure(stats => [(stats.Leased, null)]), "{job}", "Jobs that a worker holds.");
    }

    /// <summary>The attempt as a span of the trace that created the job.</summary>
    public static Activity? StartAttempt(string queue, JobRecord job)
    {
        var parent = ActivityContext.TryParse(job.TraceParent, null, isRemote: true, out var creation) ? creation : default;
        return Source.StartActivity(
            "job.attempt", ActivityKind.Consumer, parent, [new("queue", queue), new("job", job.Id), new("attempt", job.Attempt), new("step", job.Step)]);
    }

    public static void AttemptEnded(string queue, string outcome, TimeSpan duration, Activity? activity)
    {
        KeyValuePair<string, object?>[] tags = [new("queue", queue), new("outcome", outcome)];
        Attempts.Add(1, tags);
        Duration.Record(duration.TotalSeconds, tags);
        if (outcome == "lost")
        {
            LostLeases.Add(1, new KeyValuePair<string, object?>("queue", queue));
        }

        activity?.SetTag("outcome", outcome);
        activity?.SetStatus(outcome is "failed" or "lost" or "retried" ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
    }

    public static void Looked(string queue, QueueStats stats, int reaped)
    {
        Queues[queue] = stats;
        Reaped.Add(reaped, new KeyValuePair<string, object?>("queue", queue));
    }

    public static void Restored(string queue) => RestoredJobs.Add(1, new KeyValuePair<string, object?>("queue", queue));

    private static (double Value, string? Priority)[] Depths(QueueStats stats) =>
        [(stats.QueuedHigh, "high"), (stats.QueuedNormal, "normal"), (stats.QueuedLow, "low"), (stats.Delayed, "delayed")];

    private static IEnumerable<Measurement<double>> Measure(Func<QueueStats, (double Value, string? Priority)[]> values) =>
        Queues.SelectMany(queue => values(queue.Value).Select(value => value.Priority is null
            ? new Measurement<double>(value.Value, new KeyValuePair<string, object?>("queue", queue.Key))
            : new Measurement<double>(value.Value, new("queue", queue.Key), new("priority", value.Priority))));
}
