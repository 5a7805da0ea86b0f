namespace InstructTune.Jobs;

/// <summary>Why work should stop. The greater reason wins.</summary>
public enum StopReason
{
    None = 0,

    /// <summary>This process is ending: save a checkpoint; another worker goes on.</summary>
    Preempt = 1,

    /// <summary>The caller asked: save a checkpoint; the job ends CANCELLED.</summary>
    Cancel = 2,

    /// <summary>The job may be another worker's by now: write nothing.</summary>
    LeaseLost = 3,
}

/// <summary>One attempt at a job, as its handler sees it. Safe to use from any thread.</summary>
public sealed class JobContext(JobRecord job, IJobReports reports, Action progressed) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();

    public JobRecord Job { get; } = job;

    public StopReason Stop { get; private set; }

    /// <summary>
    /// Somebody asks for a checkpoint at the end of the step that runs. True until one is accepted: a handler that saves one
    /// whenever this is true at the end of a step needs no more.
    /// </summary>
    public bool IsCheckpointRequested { get; private set; } = job.IsCheckpointAsked;

    /// <summary>Fires when <see cref="Stop"/> becomes other than None.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>
    /// Adds an event to the job's history. Returns once it is on its way: while the store is away events wait in order
    /// and the work goes on.
    /// </summary>
    /// <exception cref="OperationCanceledException">The lease is lost.</exception>
    public Task ReportAsync(JobEventBody body, double progress)
    {
        progressed();
        return reports.AppendAsync(body, progress);
    }

    /// <summary>Publishes a checkpoint. It exists once this returns.</summary>
    /// <exception cref="OperationCanceledException">The lease is lost.</exception>
    public Task ReportCheckpointAsync(string checkpoint, long step)
    {
        progressed();
        return reports.CheckpointAsync(checkpoint, step);
    }

    /// <summary>Goes back to an older checkpoint, because the newest does not verify; <paramref name="notice"/> says which and why.</summary>
    public Task ReportRollbackAsync(string checkpoint, long step, NoticeBody notice)
    {
        progressed();
        return reports.RollbackAsync(checkpoint, step, notice);
    }

    /// <summary>Tells the watchdog that a step ended.</summary>
    public void Progressed() => progressed();

    public void RequestStop(StopReason reason)
    {
        lock (_lock)
        {
            if (reason <= Stop)
            {
                return;
            }

            Stop = reason;
        }

        _stopping.Cancel();
    }

    /// <summary>What the store said last about checkpoints asked for.</summary>
    internal void NoteCheckpointRequested(bool isRequested) => IsCheckpointRequested = isRequested;

    public void Dispose() => _stopping.Dispose();
}

/// <summary>Where a job's events go.</summary>
public interface IJobReports
{
    Task AppendAsync(JobEventBody body, double progress);

    Task CheckpointAsync(string checkpoint, long step);

    Task RollbackAsync(string checkpoint, long step, NoticeBody notice);
}
