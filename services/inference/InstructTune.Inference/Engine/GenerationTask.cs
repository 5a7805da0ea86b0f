using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Engine;

/// <summary>What to generate: the prompt, how tokens are chosen, and when to stop.</summary>
internal sealed record GenerationTask(int[] PromptIds, SamplingOptions Sampling, StopConditions Stop, Tokenizer Tokenizer)
{
    /// <summary>Which of several continuations of one request this is.</summary>
    public int Choice { get; init; }

    /// <summary>What to tell about each token that is made; null for nothing.</summary>
    public ReportWish? Reports { get; init; }

    /// <summary>What to tell about each token of the prompt; null for nothing.</summary>
    public ReportWish? PromptReports { get; init; }

    /// <summary>Whether somebody reads token by token.</summary>
    public bool TellsAll { get; init; } = true;

    /// <summary>The last token is returned and never computed.</summary>
    public int CapacityTokens => PromptIds.Length + Stop.MaxTokens - 1;
}
