namespace InstructTune.Jobs;

/// <summary>A queue at one moment.</summary>
/// <param name="QueuedHigh">Waiting, by priority.</param>
/// <param name="QueuedNormal">Waiting.</param>
/// <param name="QueuedLow">Waiting.</param>
/// <param name="Delayed">Waiting for a retry that is not due.</param>
/// <param name="Leased">Held by a worker.</param>
/// <param name="OldestAge">How long the first in line has waited.</param>
/// <param name="Jobs">All there are, ended ones included.</param>
public sealed record QueueStats(
    long QueuedHigh, long QueuedNormal, long QueuedLow, long Delayed, long Leased, TimeSpan OldestAge, long Jobs)
{
    public long Queued => QueuedHigh + QueuedNormal + QueuedLow;
}
