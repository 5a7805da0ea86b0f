// Shape letters in this file:
//   O outputs   I inputs

using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>One linear layer under its path in Hugging Face, such as model.layers.0.self_attn.q_proj.</summary>
internal sealed record Projection(string Path, Tensor Weight_OI, Tensor? Bias_O);

/// <summary>
/// Linear layers that read the same input. Their weights are rows of one tensor, so that one product serves all; the parts are views.
/// </summary>
internal sealed record ProjectionGroup(Projection[] Parts, Tensor Weight_OI, Tensor? Bias_O)
{
    public long[] Widths { get; } = [.. Parts.Select(p => p.Weight_OI.size(0))];
}
