using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.Data;

/// <summary>What a stage trains on or is validated on, in memory.</summary>
internal sealed record StageData
{
    public required IReadOnlyList<TokenizedExample> Rows { get; init; }

    /// <summary>Examples behind the rows; a long text gives several rows.</summary>
    public required long ExampleCount { get; init; }

    public required long TruncatedCount { get; init; }

    /// <summary>Examples left out, by reason.</summary>
    public required IReadOnlyDictionary<string, long> Dropped { get; init; }

    /// <summary>Of a mix, what each component gave, left out or not, in order; empty for a version.</summary>
    public IReadOnlyList<(string Version, long ExampleCount)> Sources { get; init; } = [];

    /// <summary>What answers are generated for; empty where none are.</summary>
    public IReadOnlyList<Question> Questions { get; init; } = [];
}

/// <summary>A prompt and the answer that the data has for it.</summary>
/// <param name="Prompt">Its tokens.</param>
/// <param name="Reference">The answer.</param>
/// <param name="ReferenceTokens">Length of the answer.</param>
internal sealed record Question(int[] Prompt, string Reference, int ReferenceTokens);
