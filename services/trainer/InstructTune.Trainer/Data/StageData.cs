using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.Data;

/// <summary>What a stage trains on, in memory.</summary>
internal sealed record StageData
{
    public required IReadOnlyList<TokenizedExample> Rows { get; init; }

    /// <summary>Examples behind the rows; a long text gives several rows.</summary>
    public required long ExampleCount { get; init; }

    public required long TruncatedCount { get; init; }

    /// <summary>Examples left out, by reason.</summary>
    public required IReadOnlyDictionary<string, long> Dropped { get; init; }
}
