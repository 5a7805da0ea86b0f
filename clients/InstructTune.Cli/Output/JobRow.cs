using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using InstructTune.Cli.CommandLine;
using InstructTune.V1;

namespace InstructTune.Cli.Output;

/// <summary>A job of any kind, as operators see it.</summary>
internal sealed record JobRow(string Queue, string Name, JobStatus Job, IMessage Resource)
{
    public string Id => Queue == "evaluation" ? Name : Names.Short(Name);

    public bool HasEnded => Job.State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;

    /// <summary>The state; a job that was paused says so.</summary>
    public string State => Job.CancelCause == CancelCause.Pause ? Job.State == JobState.Cancelled ? "paused" : "pausing" : Formats.Lower(Job.State);

    public static JobRow Of(FineTuneJob job) => new("fine-tune", job.Name, job.Job, job);

    public static JobRow Of(EvaluationRun run) => new("evaluation", run.Name, run.Job, run);

    /// <summary>How deep the queue is, how long its first has waited, and how many run.</summary>
    public static string Summary(string queue, IReadOnlyList<JobRow> rows, DateTime now)
    {
        var waiting = rows.Where(row => row.Job.State == JobState.Queued).ToList();
        var running = rows.Count(row => row.Job.State is JobState.Running or JobState.Cancelling);
        var age = waiting.Count > 0 ? $", the first for {Since(waiting.Min(row => row.Job.UpdateTime.ToDateTime()), now)}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{queue}: {waiting.Count} waiting{age}; {running} running; {rows.Count - waiting.Count - running} ended");
    }

    public static Grid Table(IEnumerable<JobRow> rows, DateTime now)
    {
        var grid = new Grid("job", "queue", "state", "priority", "done", "attempt", "faults", "age", "worker", "lease", "error");
        foreach (var row in rows)
        {
            grid.Add(
                row.Id,
                row.Queue,
                row.State,
                Formats.Lower(row.Job.Priority),
                Formats.Percent(row.Job.Progress),
                row.Job.Attempt.ToString(CultureInfo.InvariantCulture),
                row.Job.FailureCount.ToString(CultureInfo.InvariantCulture),
                Since(row.Job.CreateTime?.ToDateTime() ?? now, now),
                row.Job.Worker.Length > 0 ? ShortWorker(row.Job.Worker) : "-",
                Lease(row.Job.LeaseExpireTime, now),
                (row.Job.Error ?? row.Job.LastTransientError) is { } error ? error.Reason.ToString() : "-");
        }

        return grid;
    }

    public IEnumerable<(string What, string Value)> Details(DateTime now)
    {
        yield return ("job", Name);
        yield return ("state", State + (Job.Phase.Length > 0 ? $" ({Job.Phase})" : ""));
        yield return ("priority", Formats.Lower(Job.Priority));
        yield return ("done", Formats.Percent(Job.Progress));
        yield return ("attempt", Job.Attempt.ToString(CultureInfo.InvariantCulture));
        yield return ("faults since the last checkpoint", Job.FailureCount.ToString(CultureInfo.InvariantCulture));
        yield return ("created", Formats.Time(Job.CreateTime));
        yield return ("started", Formats.Time(Job.StartTime));
        yield return ("ended", Formats.Time(Job.EndTime));
        yield return ("worker", Job.Worker.Length > 0 ? Job.Worker : "-");
        yield return ("lease", Lease(Job.LeaseExpireTime, now));
        yield return ("events", Job.LastEventSequence.ToString(CultureInfo.InvariantCulture));
        if (Job.LastTransientError is { } retried)
        {
            yield return ("last fault", retried.Message);
        }

        if (Job.Error is { } error)
        {
            yield return ("error", $"{error.Reason}: {error.Message}");
        }
    }

    private static string Since(DateTime then, DateTime now) => Formats.Duration(now > then ? now - then : TimeSpan.Zero);

    private static string Lease(Timestamp? expires, DateTime now) => expires is null
        ? "-"
        : string.Create(CultureInfo.InvariantCulture, $"{(expires.ToDateTime() - now).TotalSeconds:0} s left");

    // Machine and process are what one looks for; the number behind them is for the store.
    private static string ShortWorker(string worker) => string.Join('/', worker.Split('/').Take(2));
}
