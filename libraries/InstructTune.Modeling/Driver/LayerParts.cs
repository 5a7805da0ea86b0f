// Shape letters in this file:
//   D model width   H head width

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>The weights of a layer, as <see cref="TransformerBlock"/> has them.</summary>
internal sealed record LayerParts(
    int Layer,
    Tensor AttentionNorm_D,
    ProjectionGroup QueryKeyValue,
    Tensor? QueryNorm_H,
    Tensor? KeyNorm_H,
    ProjectionGroup AttentionOutput,
    Tensor FeedForwardNorm_D,
    ProjectionGroup GateUp,
    ProjectionGroup Down)
{
    public IEnumerable<Tensor> Norms => new[] { AttentionNorm_D, FeedForwardNorm_D, QueryNorm_H, KeyNorm_H }.OfType<Tensor>();
}
