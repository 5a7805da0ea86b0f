using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Engine;

/// <summary>Why a text ended, and at which stop sequence.</summary>
internal sealed record GenerationEnd(StopReason Reason, string StopSequence)
{
    /// <summary>Why the server gave it up; null when it did not.</summary>
    public string? Error { get; init; }
}

/// <summary>Counts and times so far.</summary>
internal readonly record struct GenerationFigures(int OutputTokens, TimeSpan QueueTime, TimeSpan TimeToFirstToken, int CachedTokens = 0);

/// <summary>What was generated since the last update.</summary>
internal sealed record GenerationUpdate(string Text, IReadOnlyList<int> TokenIds, GenerationFigures Figures, GenerationEnd? End)
{
    /// <summary>Of <see cref="TokenIds"/>, where they were asked for.</summary>
    public IReadOnlyList<TokenReport> Reports { get; init; } = [];

    /// <summary>Of every prompt token but the first, in the first update; null where they were not asked for.</summary>
    public IReadOnlyList<TokenReport>? PromptReports { get; init; }
}
