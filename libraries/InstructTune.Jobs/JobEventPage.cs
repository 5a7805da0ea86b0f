namespace InstructTune.Jobs;

public sealed record JobEventPage(long FirstSequence, long LastSequence, IReadOnlyList<JobEventEntry> Entries);

/// <summary>Events asked for are not kept any more.</summary>
public sealed class EventsTrimmedException(long oldestSequence)
    : Exception($"Events before {oldestSequence} are no longer kept. Read the job, then watch from {oldestSequence - 1}.")
{
    public long OldestSequence { get; } = oldestSequence;
}
