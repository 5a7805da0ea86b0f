using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// Bounds what a forward pass keeps for its backward pass. The bound is a constant and the estimate follows from the model alone, so that the
/// cut into passes, and with it every bit of the result, does not depend on the machine.
/// </summary>
internal sealed class MemoryEstimate(LlamaConfig config, long weightBytes, long trainableCount, int halvings)
{
    private const long ActivationBytes = 1L << 30;

    /// <summary>
    /// Inputs of every product and norm, queries, keys and values, gate and up, in float32; norms keep two float32 copies of the stream more.
    /// </summary>
    private readonly long _bytesPerToken = config.LayerCount * sizeof(float)
        * ((11L * config.ModelWidth) + (2L * config.KeyValueHeads * config.HeadWidth) + (2L * config.QueryHeads * config.HeadWidth) + (4L * config.FeedForwardWidth));

    /// <summary>Forward passes of one optimizer step; after the device ran out of memory, of half the size.</summary>
    public IReadOnlyList<IReadOnlyList<TokenizedExample>> Cut(IEnumerable<TokenizedExample> rows, int microBatchSize) =>
        MicroBatches.Cut(rows, Math.Max(1, microBatchSize >> halvings), (ActivationBytes >> halvings) / _bytesPerToken);

    /// <exception cref="JobFailedException">Not even one row at a time fits.</exception>
    public void RequireFit(int longestRowTokens, long availableBytes)
    {
        // Weights; for what is trained a gradient and two moments.
        var states = weightBytes + (3L * sizeof(float) * trainableCount);
        var row = longestRowTokens * _bytesPerToken;
        if (states + row <= availableBytes)
        {
            return;
        }

        throw new JobFailedException(new JobFault(
            "MODEL_DOES_NOT_FIT",
            $"Training needs about {Mebibytes(states)} MiB for weights and optimizer and {Mebibytes(row)} MiB for one row of {longestRowTokens} tokens; "
                + $"there are {Mebibytes(availableBytes)} MiB. Lower max_sequence_tokens, or train an adapter instead of all weights, or one over four-bit weights (qlora).",
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["limit_mebibytes"] = Mebibytes(availableBytes),
                ["states_mebibytes"] = Mebibytes(states),
                ["row_mebibytes"] = Mebibytes(row),
            }));
    }

    private static string Mebibytes(long bytes) => (bytes >> 20).ToString(CultureInfo.InvariantCulture);
}
