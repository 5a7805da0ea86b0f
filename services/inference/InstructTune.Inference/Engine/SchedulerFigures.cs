namespace InstructTune.Inference.Engine;

/// <summary>What the scheduler did so far. Counted on the engine's thread.</summary>
internal sealed class SchedulerFigures
{
    /// <summary>Sequences that were thrown out of their slot, to be computed again.</summary>
    public long Preemptions { get; set; }

    /// <summary>Prompt tokens that could have come from the prefix cache.</summary>
    public long PrefixQueries { get; set; }

    /// <summary>Prompt tokens that did.</summary>
    public long PrefixHits { get; set; }

    /// <summary>Positions computed again after a preemption.</summary>
    public long RepeatedRows { get; set; }
}
