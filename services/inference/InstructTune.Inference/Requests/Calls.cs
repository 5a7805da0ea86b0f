using InstructTune.Inference.Engine;
using InstructTune.Inference.Models;
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
    IReadOnlyList<int> StopTokenIds)
{
    public Standing Standing { get; init; } = Standing.Default;

    /// <summary>The weights to answer with; null for those that are served.</summary>
    public WeightForm? Form { get; init; }

    /// <summary>For logs.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>Whether the caller reads token by token, or the whole at its end.</summary>
    public bool Streams { get; init; } = true;

    /// <summary>Requests with different ones share no prefixes.</summary>
    public string CacheSalt { get; init; } = "";

    public bool SkipsPrefixCache { get; init; }

    /// <summary>How many continuations of the prompt.</summary>
    public int Count { get; init; } = 1;

    public bool IgnoreEndOfText { get; init; }

    public bool IncludeStopSequence { get; init; }

    /// <summary>The last so many prompt tokens are kept; 0 means all.</summary>
    public int TruncatePromptTokens { get; init; }

    public ReportWish? Reports { get; init; }

    public ReportWish? PromptReports { get; init; }
}

/// <summary>A valid request to score, before its model is at hand.</summary>
internal sealed record ScoreCall(string Model, IReadOnlyList<ScoreItem> Items, bool TruncateContexts)
{
    /// <summary>How many of the likeliest tokens are told with every one.</summary>
    public int Alternatives { get; init; }

    /// <summary>Whether text contexts get a beginning-of-text token.</summary>
    public bool BeginsText { get; init; } = true;

    public Standing Standing { get; init; } = Standing.Default;

    /// <summary>The weights to answer with; null for those that are served.</summary>
    public WeightForm? Form { get; init; }

    /// <summary>For logs.</summary>
    public string RequestId { get; init; } = "";
}
