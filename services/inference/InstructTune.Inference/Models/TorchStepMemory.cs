using InstructTune.Inference.Engine;
using InstructTune.Modeling.Llama;

namespace InstructTune.Inference.Models;

/// <summary>
/// What a step of libtorch takes at most, besides weights and cache: the tensors that are alive at once, counted one by one. What its
/// allocator keeps between them comes on top, up to 40 % as measured.
/// </summary>
internal static class TorchStepMemory
{
    /// <param name="config">The model.</param>
    /// <param name="limits">The largest step.</param>
    /// <param name="contextTokens">The longest sequence.</param>
    public static long SizeBytes(LlamaConfig config, SchedulerLimits limits, int contextTokens)
    {
        var rows = (long)limits.TokenBudget;
        // The stream before and after attention, normed and with the layer's answer; two halves, one of them through its gate, and their product.
        var layer = rows * 4 * (config.ModelWidth + config.FeedForwardWidth);
        // Once as a tensor and once beside it.
        var logits = 2L * Math.Max(limits.MaxRunning, LogitReader.ScoreRows) * config.VocabularySize;
        var angles = rows * 2 * config.HeadWidth;
        // Of each query row that shares a key head; a block at a time in numbers that are added to scores.
        var maskBytes = config.GroupSize * (rows + (sizeof(float) * Sequence.ChunkTokens)) * contextTokens;
        return (sizeof(float) * (angles + Math.Max(layer, (rows * config.ModelWidth) + logits))) + maskBytes;
    }
}
