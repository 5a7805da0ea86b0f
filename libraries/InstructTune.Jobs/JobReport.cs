namespace InstructTune.Jobs;

/// <summary>One event of an attempt on its way to the store. The number makes sending it again harmless.</summary>
public sealed record JobReport
{
    public required string Id { get; init; }

    public required int Attempt { get; init; }

    /// <summary>1, 2, 3, ... within the attempt.</summary>
    public required long Number { get; init; }

    public required JobEventBody Body { get; init; }

    /// <summary>Null leaves the progress as it is.</summary>
    public double? Progress { get; init; }

    public CheckpointChange? Change { get; init; }
}

/// <summary>A move of the job's checkpoint, accepted only from the expected one: ahead in steps, or back for a rollback.</summary>
public sealed record CheckpointChange(string Expected, string Checkpoint, long Step, bool IsRollback);
