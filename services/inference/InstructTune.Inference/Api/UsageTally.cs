using Google.Protobuf.WellKnownTypes;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;

namespace InstructTune.Inference.Api;

/// <summary>What a request consumed so far, over all of its candidates. Times are those of the candidate that began first.</summary>
internal sealed class UsageTally(Generation generation, bool hidesCachedTokens)
{
    private readonly GenerationFigures?[] _figures = new GenerationFigures?[generation.Outputs.Count];

    public GenerationFigures Total => new(
        _figures.Sum(figures => figures?.OutputTokens ?? 0),
        _figures.Min(figures => figures?.QueueTime) ?? TimeSpan.Zero,
        _figures.Min(figures => figures?.TimeToFirstToken) ?? TimeSpan.Zero,
        _figures[0]?.CachedTokens ?? 0);

    public void Set(int candidate, GenerationFigures figures) => _figures[candidate] = figures;

    public V1.Usage ToUsage() => new()
    {
        PromptTokens = generation.PromptTokens,
        CachedPromptTokens = hidesCachedTokens ? 0 : Total.CachedTokens,
        OutputTokens = Total.OutputTokens,
        QueueTime = Duration.FromTimeSpan(Total.QueueTime),
        TimeToFirstToken = Duration.FromTimeSpan(Total.TimeToFirstToken),
    };
}
