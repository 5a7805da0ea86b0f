using TorchSharp;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// Cross-entropy over the trained tokens: their losses' sum divided by the number of trained tokens of the whole optimizer step. Logits exist for a
/// chunk of trained rows at a time, never for a batch.
/// </summary>
public static class ResponseLoss
{
    // Logits, their log-softmax and its gradient are alive at once; blocks of this size are kept by the allocator (NativeHeap).
    private const long ChunkBytes = 16L << 20;

    /// <summary>
    /// Runs the backward pass of a micro-batch and returns the sum of its token losses, in nats.
    /// <paramref name="logits"/> maps rows of hidden states to logits in float32; it is told the first one's index among the trained rows.
    /// </summary>
    /// <param name="hidden_BTD">The model's output with its graph.</param>
    /// <param name="batch">Which row predicts which token.</param>
    /// <param name="logits">The output head.</param>
    /// <param name="vocabularySize">Sizes the chunks.</param>
    /// <param name="stepTrainedTokens">Trained tokens of all micro-batches of the step.</param>
    public static double Backward(Tensor hidden_BTD, PaddedBatch batch, Func<Tensor, long, Tensor> logits, int vocabularySize, long stepTrainedTokens)
    {
        using var scope = NewDisposeScope();
        var hidden_ND = hidden_BTD.reshape(-1, hidden_BTD.size(-1));
        var trained_RD = hidden_ND.index_select(0, batch.TrainedRows_R);
        using var gradient_RD = empty_like(trained_RD);
        var lossSum = BackwardOfRows(trained_RD, batch.Labels_R, logits, vocabularySize, stepTrainedTokens, gradient_RD);
        trained_RD.backward([gradient_RD]);
        return lossSum;
    }

    /// <summary>The loss of rows that all have a label; their gradient goes to <paramref name="gradient_RD"/>.</summary>
    internal static double BackwardOfRows(
        Tensor hidden_RD, Tensor labels_R, Func<Tensor, long, Tensor> logits, int vocabularySize, long stepTrainedTokens, Tensor gradient_RD)
    {
        using var scope = NewDisposeScope();
        // A leaf of its own: each chunk's graph ends here and is freed before the next one.
        var leaf_RD = hidden_RD.detach().requires_grad_();
        var lossSum = 0.0;

        // Held to the end: see LivingScalar.
        using Scalar count = stepTrainedTokens;
        var chunkRows = Math.Max(1, ChunkBytes / (sizeof(float) * (long)vocabularySize));
        for (long start = 0; start < hidden_RD.size(0); start += chunkRows)
        {
            using var chunk = NewDisposeScope();
            var rows = Math.Min(chunkRows, hidden_RD.size(0) - start);
            var sum = nn.functional.cross_entropy(
                logits(leaf_RD.narrow(0, start, rows), start).to_type(ScalarType.Float32), labels_R.narrow(0, start, rows), reduction: nn.Reduction.Sum);
            sum.div(count).backward();
            lossSum += sum.item<float>();
        }

        using var frozen = no_grad();
        gradient_RD.copy_(leaf_RD.grad!);
        return lossSum;
    }

    /// <summary>The sum of a micro-batch's token losses, in nats, with no gradient.</summary>
    /// <param name="hidden_BTD">The model's output.</param>
    /// <param name="batch">Which row predicts which token.</param>
    /// <param name="logits">The output head.</param>
    /// <param name="vocabularySize">Sizes the chunks.</param>
    public static double Sum(Tensor hidden_BTD, PaddedBatch batch, Func<Tensor, Tensor> logits, int vocabularySize)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var trained_RD = hidden_BTD.reshape(-1, hidden_BTD.size(-1)).index_select(0, batch.TrainedRows_R);
        var lossSum = 0.0;
        var chunkRows = Math.Max(1, ChunkBytes / (sizeof(float) * (long)vocabularySize));
        for (long start = 0; start < batch.TrainedTokenCount; start += chunkRows)
        {
            using var chunk = NewDisposeScope();
            var count = Math.Min(chunkRows, batch.TrainedTokenCount - start);
            lossSum += nn.functional.cross_entropy(
                logits(trained_RD.narrow(0, start, count)).to_type(ScalarType.Float32), batch.Labels_R.narrow(0, start, count), reduction: nn.Reduction.Sum)
                .item<float>();
        }

        return lossSum;
    }
}
