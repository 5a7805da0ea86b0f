namespace InstructTune.Trainer.FineTuning;

/// <summary>Several versions of datasets made into one sequence.</summary>
internal sealed record MixSpec
{
    public required IReadOnlyList<MixComponent> Components { get; init; }

    public ulong Seed { get; init; }

    public MixStrategy Strategy { get; init; }

    /// <summary>For draws without weights; 0 means 1, which is in proportion to size.</summary>
    public double Temperature { get; init; }

    /// <summary>Draws at most; 0 for no such bound.</summary>
    public long ExampleCount { get; init; }
}

/// <summary>One ingredient. At most one of the three amounts is set; none means all.</summary>
internal sealed record MixComponent(string Version)
{
    public long? ExampleCount { get; init; }

    /// <summary>Of the version's examples.</summary>
    public double? Fraction { get; init; }

    /// <summary>Share of the draws.</summary>
    public double? Weight { get; init; }

    public bool AllowsRepeats { get; init; }
}

/// <summary>How components become one sequence. The numbers are stored in jobs.</summary>
internal enum MixStrategy
{
    /// <summary>One after another.</summary>
    Concatenate = 0,

    /// <summary>Drawn in turn until the first is used up.</summary>
    InterleaveUntilFirst = 1,

    /// <summary>Until all are used up; small ones repeat.</summary>
    InterleaveUntilAll = 2,

    /// <summary>Until all are used up; none repeats.</summary>
    InterleaveOnce = 3,
}
