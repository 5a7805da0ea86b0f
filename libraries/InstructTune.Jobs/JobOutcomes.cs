namespace InstructTune.Jobs;

public enum CreateOutcome
{
    Created,

    /// <summary>This request was seen before; the id is that of its job.</summary>
    SameRequest,

    /// <summary>The request id was seen with other content.</summary>
    RequestReused,
    IdTaken,
}

public readonly record struct CreateResult(CreateOutcome Outcome, string Id);

public enum RenewOutcome
{
    /// <summary>The caller does not hold this job any more.</summary>
    Fenced = 0,
    Extended = 1,
    Cancelling = 2,

    /// <summary>Extended, and somebody asks for a checkpoint.</summary>
    CheckpointAsked = 3,
}

/// <summary>What became of a report: its sequence, or 0 when the caller does not hold the job, or -2 when the comparison failed.</summary>
public readonly record struct ReportResult(long Sequence, bool IsCancelling, bool IsCheckpointAsked = false)
{
    internal const long ComparisonFailed = -2;

    public bool IsAccepted => Sequence > 0;

    public bool IsFenced => Sequence == 0;
}

public enum CompleteOutcome
{
    ComparisonFailed = -2,
    Fenced = 0,
    Done = 1,

    /// <summary>A cancel was acknowledged: the job can only end CANCELLED; or nobody asked to cancel it.</summary>
    Refused = 2,
}

/// <summary>Why a worker gives a job back.</summary>
public enum ReleaseKind
{
    /// <summary>The worker stops in good order; nothing is counted.</summary>
    Preempted,

    /// <summary>Disk, store, peer or device; counted, and tried again after a pause.</summary>
    Infrastructure,

    /// <summary>Counted, and tried again once with a smaller micro-batch.</summary>
    OutOfMemory,
}

public enum ReleaseOutcome
{
    Fenced = 0,
    Queued = 1,
    Failed = 3,
    Cancelled = 4,
}

public enum CancelCause
{
    Caller,
    Pause,
}

public enum DeleteOutcome
{
    /// <summary>It is not as the caller had read it.</summary>
    Changed = -2,

    /// <summary>It has not ended.</summary>
    Refused = -1,
    NotFound = 0,
    Deleted = 1,
}

public enum CancelOutcome
{
    Unchanged = 0,
    Cancelling = 2,
    Cancelled = 4,
}
