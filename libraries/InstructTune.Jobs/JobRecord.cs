namespace InstructTune.Jobs;

/// <summary>A job as the store has it: the truth about it at one moment.</summary>
public sealed record JobRecord
{
    public required string Id { get; init; }

    public required JobState State { get; init; }

    /// <summary>How many times a worker started this job; the number every later write is compared with.</summary>
    public int Attempt { get; init; }

    /// <summary>Counted faults since the last checkpoint.</summary>
    public int Failures { get; init; }

    public int MaxAttempts { get; init; }

    /// <summary>Retries after the device ran out of memory; each halves the rows per micro-batch.</summary>
    public int OutOfMemoryRetries { get; init; }

    public string Spec { get; init; } = "";

    public string SpecSha256 { get; init; } = "";

    public double Progress { get; init; }

    public string Phase { get; init; } = "";

    /// <summary>The newest accepted checkpoint; empty before the first.</summary>
    public string Checkpoint { get; init; } = "";

    /// <summary>Step of <see cref="Checkpoint"/>; -1 before the first.</summary>
    public long Step { get; init; } = -1;

    public string Result { get; init; } = "";

    public JobFault? Error { get; init; }

    /// <summary>The oldest event still kept.</summary>
    public long FirstSequence { get; init; }

    public long LastSequence { get; init; }

    public DateTimeOffset Created { get; init; }

    public DateTimeOffset? Started { get; init; }

    public DateTimeOffset? Ended { get; init; }

    public DateTimeOffset Updated { get; init; }

    public string Owner { get; init; } = "";

    /// <summary>When the lease of the worker that holds the job runs out; null where none does.</summary>
    public DateTimeOffset? LeaseExpires { get; init; }

    /// <summary>The newest fault that the job was tried again after.</summary>
    public JobFault? LastFault { get; init; }

    public JobPriority Priority { get; init; } = JobPriority.Normal;

    /// <summary>Why the job was asked to stop; null where it was not.</summary>
    public CancelCause? CancelCause { get; init; }

    /// <summary>A checkpoint is asked for and none was accepted since.</summary>
    public bool IsCheckpointAsked { get; init; }

    public string TraceParent { get; init; } = "";
}

/// <summary>What a job is created from.</summary>
public sealed record NewJob
{
    public required string Id { get; init; }

    /// <summary>The caller's request id; empty where there is none. Kept for 24 hours.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>Digest of the request's content, to tell a repeat from a reuse of the id.</summary>
    public string BodySha256 { get; init; } = "";

    public required string Spec { get; init; }

    public string SpecSha256 { get; init; } = "";

    public int MaxAttempts { get; init; } = LeaseOptions.DefaultMaxAttempts;

    public JobPriority Priority { get; init; } = JobPriority.Normal;

    public string TraceParent { get; init; } = "";
}

/// <summary>Which waiting job a worker takes: one of the highest priority, and of those the one that waits longest.</summary>
public enum JobPriority
{
    High,
    Normal,
    Low,
}

/// <summary>The token is empty on the last page.</summary>
public sealed record JobPage(IReadOnlyList<JobRecord> Items, string NextPageToken);
