// Shape letters in this file:
//   M rows   O outputs   I inputs

using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>One linear layer under its path in Hugging Face, such as model.layers.0.self_attn.q_proj.</summary>
internal sealed record Projection(string Path, Tensor Weight_OI, Tensor? Bias_O);

/// <summary>
/// Linear layers that read the same input. Their weights are rows of one tensor, so that one product serves all; the parts are views.
/// </summary>
internal sealed record ProjectionGroup(Projection[] Parts, Tensor Weight_OI, Tensor? Bias_O)
{
    private readonly RowSpan _weight_OI = RowSpan.Of(Weight_OI);

    public long[] Widths { get; } = [.. Parts.Select(p => p.Weight_OI.size(0))];

    /// <summary>Serving: x W^T + b, the first rows by libtorch and the others by <see cref="RowKernel"/>.</summary>
    public unsafe Tensor Multiply(Tensor x_MI, int blockRows)
    {
        using var scope = NewDisposeScope();
        var rows = (int)x_MI.size(0);
        var y_MO = empty(rows, _weight_OI.Rows);
        if (blockRows > 0)
        {
            var block_MO = y_MO.narrow(0, 0, blockRows);
            if (Bias_O is not null)
            {
                block_MO.copy_(Bias_O);
            }

            block_MO.addmm_(x_MI.narrow(0, 0, blockRows), Weight_OI.t(), Bias_O is null ? 0 : 1, 1);
        }

        if (rows > blockRows)
        {
            var bias_O = Bias_O is null ? null : RowSpan.Pointer(Bias_O);
            RowKernel.Multiply(
                RowSpan.Of(x_MI).Part(blockRows, rows - blockRows), _weight_OI, bias_O, RowSpan.Of(y_MO).Part(blockRows, rows - blockRows), TorchThreads.Count);
        }

        return y_MO.MoveToOuterDisposeScope();
    }
}
