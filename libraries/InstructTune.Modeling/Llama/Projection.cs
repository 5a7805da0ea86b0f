// Shape letters in this file:
//   M rows   O outputs   I inputs

using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>One linear layer under its path in Hugging Face, such as model.layers.0.self_attn.q_proj.</summary>
internal sealed record Projection(string Path, WeightMatrix Weight, Tensor? Bias_O);

/// <summary>
/// Linear layers that read the same input. Where the form of their weights allows it, these are rows of one matrix, so that one product
/// serves all, and the parts are views; the biases always are.
/// </summary>
internal sealed record ProjectionGroup(Projection[] Parts, WeightMatrix? Whole, Tensor? Bias_O)
{
    private readonly int _outputs = Whole?.Outputs ?? Parts.Sum(p => p.Weight.Outputs);

    public long[] Widths { get; } = [.. Parts.Select(p => (long)p.Weight.Outputs)];

    /// <summary>Serving: x W^T + b, the first rows by libtorch and the others by <see cref="RowKernel"/>.</summary>
    public Tensor Multiply(Tensor x_MI, int blockRows)
    {
        using var scope = NewDisposeScope();
        var y_MO = empty(x_MI.size(0), _outputs, device: x_MI.device);
        if (Whole is not null)
        {
            Whole.Multiply(x_MI, blockRows, Bias_O, y_MO);
        }
        else
        {
            var first = 0;
            foreach (var part in Parts)
            {
                part.Weight.Multiply(x_MI, blockRows, part.Bias_O, y_MO.narrow(1, first, part.Weight.Outputs));
                first += part.Weight.Outputs;
            }
        }

        return y_MO.MoveToOuterDisposeScope();
    }
}
