// Shape letters in this file:
//   M rows   O outputs   I inputs   P outputs of one slice

using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// A frozen matrix in fewer bytes than float32. It is widened a slice of rows at a time, where the slice is used: no float32 copy of a
/// whole matrix exists, and the products are those of <see cref="PlainMatrix"/> over what the bytes stand for.
/// </summary>
internal abstract class PackedMatrix(int outputs, int inputs) : WeightMatrix(outputs, inputs)
{
    // A slice for the row kernel stays in the second-level cache; one for libtorch is large enough to be worth a call.
    private const int KernelSliceBytes = 192 << 10;
    private const long ProductSliceBytes = 16L << 20;

    [ThreadStatic]
    private static float[]? t_slice;

    /// <summary>Writes rows of the matrix as float32.</summary>
    public abstract unsafe void Widen(int firstOutput, int count, float* target);

    public override Tensor Linear(Tensor x_MI, Tensor? bias_O) => FrozenLinear.Apply(x_MI, this, bias_O);

    public override Tensor Read()
    {
        var result_OI = empty(Outputs, Inputs);
        WidenInto(0, result_OI);
        return result_OI;
    }

    /// <inheritdoc/>
    public override void Multiply(Tensor x_MI, int blockRows, Tensor? bias_O, Tensor y_MO)
    {
        using var scope = NewDisposeScope();
        var rows = (int)x_MI.size(0);
        if (blockRows > 0)
        {
            Product(x_MI.narrow(0, 0, blockRows), bias_O, y_MO.narrow(0, 0, blockRows));
        }

        if (rows > blockRows)
        {
            MultiplyRows(RowSpan.Of(x_MI).Part(blockRows, rows - blockRows), bias_O, RowSpan.Of(y_MO).Part(blockRows, rows - blockRows));
        }
    }

    public override void Product(Tensor x_MI, Tensor y_MO, bool adds)
    {
        foreach (var (first, slice_PI) in Slices())
        {
            using var scope = NewDisposeScope();
            y_MO.narrow(1, first, slice_PI.size(0)).addmm_(x_MI, slice_PI.t(), adds ? 1 : 0, 1);
        }
    }

    public override void BackProduct(Tensor y_MO, Tensor x_MI, bool adds)
    {
        foreach (var (first, slice_PI) in Slices())
        {
            using var part_MP = y_MO.narrow(1, first, slice_PI.size(0));
            x_MI.addmm_(part_MP, slice_PI, adds || first > 0 ? 1 : 0, 1);
        }
    }

    /// <summary>y = x W^T + b by libtorch.</summary>
    internal void Product(Tensor x_MI, Tensor? bias_O, Tensor y_MO)
    {
        foreach (var (first, slice_PI) in Slices())
        {
            using var scope = NewDisposeScope();
            var part_MP = y_MO.narrow(1, first, slice_PI.size(0));
            if (bias_O is not null)
            {
                part_MP.copy_(bias_O.narrow(0, first, slice_PI.size(0)));
            }

            part_MP.addmm_(x_MI, slice_PI.t(), bias_O is null ? 0 : 1, 1);
        }
    }

    /// <summary>x = y W: the gradient of the inputs from that of the outputs.</summary>
    internal Tensor BackProduct(Tensor y_MO)
    {
        var x_MI = zeros(y_MO.size(0), Inputs);
        foreach (var (first, slice_PI) in Slices())
        {
            using var part_MP = y_MO.narrow(1, first, slice_PI.size(0));
            x_MI.addmm_(part_MP, slice_PI, 1, 1);
        }

        return x_MI;
    }

    private IEnumerable<(int First, Tensor Slice_PI)> Slices()
    {
        var count = (int)Math.Clamp(ProductSliceBytes / (sizeof(float) * (long)Inputs) / 4 * 4, 4, Math.Max(Outputs, 4));
        using var buffer_PI = empty(Math.Min(count, Outputs), Inputs);
        for (var first = 0; first < Outputs; first += count)
        {
            using var slice_PI = buffer_PI.narrow(0, 0, Math.Min(count, Outputs - first));
            WidenInto(first, slice_PI);
            yield return (first, slice_PI);
        }
    }

    private unsafe void WidenInto(int first, Tensor slice_PI) => Widen(first, (int)slice_PI.size(0), RowSpan.Of(slice_PI).Row(0));

    private unsafe void MultiplyRows(RowSpan x_MI, Tensor? bias_O, RowSpan y_MO)
    {
        var bias = bias_O is null ? null : RowSpan.Pointer(bias_O);
        var threads = (long)x_MI.Rows * Outputs * Inputs < RowKernel.WorkWorthAThread ? 1 : TorchThreads.Count;
        if (threads == 1)
        {
            MultiplyPart(x_MI, bias, y_MO, 0, Outputs);
        }
        else
        {
            MultiplyTogether(x_MI, bias, y_MO, threads);
        }
    }

    private unsafe void MultiplyTogether(RowSpan x_MI, float* bias, RowSpan y_MO, int threads)
    {
        var share = (Outputs + threads - 1) / threads;
        Parallel.For(0, threads, part => MultiplyPart(x_MI, bias, y_MO, Math.Min(part * share, Outputs), Math.Min((part + 1) * share, Outputs)));
    }

    private unsafe void MultiplyPart(RowSpan x_MI, float* bias, RowSpan y_MO, int from, int to)
    {
        // Multiples of three, the width of the kernel's tile.
        var count = Math.Max(3, KernelSliceBytes / (sizeof(float) * Inputs) / 3 * 3);
        if (t_slice is null || t_slice.Length < count * Inputs)
        {
            t_slice = GC.AllocateUninitializedArray<float>(count * Inputs, pinned: true);
        }

        fixed (float* slice = t_slice)
        {
            for (var first = from; first < to; first += count)
            {
                var width = Math.Min(count, to - first);
                Widen(first, width, slice);
                RowKernel.Multiply(x_MI, new RowSpan(slice, width, Inputs, Inputs), bias is null ? null : bias + first, y_MO.Slice(first, width));
            }
        }
    }
}
