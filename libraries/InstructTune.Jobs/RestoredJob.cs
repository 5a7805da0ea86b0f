namespace InstructTune.Jobs;

/// <summary>A job that the store lost, as the archive knows it.</summary>
internal sealed record RestoredJob
{
    public required NewJob New { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>Time since it was created, for what is left of its request id's time.</summary>
    public required TimeSpan Age { get; init; }

    public JobState State { get; init; } = JobState.Queued;

    /// <summary>The greatest attempt that was claimed, so that the next one is new.</summary>
    public int Attempt { get; init; }

    /// <summary>Sequences go on behind this.</summary>
    public long LastSequence { get; init; }

    public DateTimeOffset? Ended { get; init; }

    public string Checkpoint { get; init; } = "";

    public long Step { get; init; } = -1;

    public string Result { get; init; } = "";

    public JobFault? Error { get; init; }

    public CancelCause? Cause { get; init; }
}
