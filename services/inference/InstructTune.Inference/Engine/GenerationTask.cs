using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Engine;

/// <summary>What to generate: the prompt, how tokens are chosen, and when to stop.</summary>
internal sealed record GenerationTask(int[] PromptIds, SamplingOptions Sampling, StopConditions Stop, Tokenizer Tokenizer)
{
    /// <summary>The last token is returned and never computed.</summary>
    public int CapacityTokens => PromptIds.Length + Stop.MaxTokens - 1;
}
