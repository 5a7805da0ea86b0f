using InstructTune.Modeling.Generation;

namespace InstructTune.Inference.Engine;

/// <summary>Why a text ended, and at which stop sequence.</summary>
internal sealed record GenerationEnd(StopReason Reason, string StopSequence);

/// <summary>Counts and times so far.</summary>
internal readonly record struct GenerationFigures(int OutputTokens, TimeSpan QueueTime, TimeSpan TimeToFirstToken);

/// <summary>What was generated since the last update.</summary>
internal sealed record GenerationUpdate(string Text, IReadOnlyList<int> TokenIds, GenerationFigures Figures, GenerationEnd? End);
