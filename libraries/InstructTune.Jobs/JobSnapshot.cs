namespace InstructTune.Jobs;

/// <summary>Which of the queue's structures holds a job.</summary>
internal enum JobPlace
{
    None,
    Pending,
    Delayed,
    Leased,

    /// <summary>The lease ran out and nobody took the job away yet.</summary>
    Expired,
}

/// <summary>What <see cref="JobTransitions"/> decides about.</summary>
internal sealed record JobSnapshot
{
    public JobState State { get; init; } = JobState.Queued;

    public JobPlace Place { get; init; } = JobPlace.Pending;

    public int Attempt { get; init; }

    public int Failures { get; init; }

    public int MaxAttempts { get; init; } = LeaseOptions.DefaultMaxAttempts;

    public int OutOfMemoryRetries { get; init; }

    public JobPriority Priority { get; init; } = JobPriority.Normal;

    public CancelCause? Cause { get; init; }

    public bool IsCheckpointAsked { get; init; }

    public string Checkpoint { get; init; } = "";

    public long Step { get; init; } = -1;

    public string Result { get; init; } = "";

    public string ErrorReason { get; init; } = "";

    public long LastSequence { get; init; } = 1;
}

/// <summary>What a transition makes of a job, and what it answers.</summary>
internal readonly record struct Transition<T>(JobSnapshot Next, T Answer);
