// Shape letters in this file:
//   R rows   D model width   F feed-forward width   C query heads' width

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>What the layers of a micro-batch use one after the other and none keeps.</summary>
internal sealed class LayerScratch(LlamaConfig config, Arena arena, long rows)
{
    /// <summary>The normed stream, made anew on the way back.</summary>
    public Tensor Normed_RD { get; } = arena.Take(rows, config.ModelWidth);

    /// <summary>The gated product, made anew on the way back.</summary>
    public Tensor Gated_RF { get; } = arena.Take(rows, config.FeedForwardWidth);

    public Tensor GatedGradient_RF { get; } = arena.Take(rows, config.FeedForwardWidth);

    public Tensor NormedGradient_RD { get; } = arena.Take(rows, config.ModelWidth);

    public Tensor AttendedGradient_RC { get; } = arena.Take(rows, (long)config.QueryHeads * config.HeadWidth);

    /// <summary>Sums for the gradient of a norm's weight.</summary>
    public RowSpan NormSums { get; } = RowSpan.Of(arena.Take(NormRows.BlocksOf(rows), Math.Max(config.ModelWidth, config.HeadWidth)));
}
