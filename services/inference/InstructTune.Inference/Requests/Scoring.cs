using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Requests;

/// <summary>A scored item.</summary>
internal sealed record ItemScore(EncodedScore Item, ContinuationScore Score);

/// <summary>Scores in request order.</summary>
internal sealed record Scoring(string ModelVersion, WeightForm Form, Tokenizer Tokenizer, IReadOnlyList<ItemScore> Items)
{
    public required Urgency Urgency { get; init; }

    /// <summary>Of contexts and continuations; a context that neighbours share counts once.</summary>
    public required int PromptTokens { get; init; }

    public required int CachedTokens { get; init; }

    /// <summary>Until the first of its sequences had a slot.</summary>
    public required TimeSpan QueueTime { get; init; }
}
