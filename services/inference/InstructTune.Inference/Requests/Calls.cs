using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Requests;

/// <summary>A valid request to generate, before its model is at hand.</summary>
internal sealed record GenerateCall(
    string Model,
    PromptInput Input,
    SamplingOptions Sampling,
    ulong? Seed,
    int MaxOutputTokens,
    IReadOnlyList<string> StopSequences,
    IReadOnlyList<int> StopTokenIds);

/// <summary>A valid request to score, before its model is at hand.</summary>
internal sealed record ScoreCall(string Model, IReadOnlyList<ScoreItem> Items, bool TruncateContexts);
