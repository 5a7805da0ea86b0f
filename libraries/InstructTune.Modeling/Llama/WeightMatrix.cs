// Shape letters in this file:
//   M rows   O outputs   I inputs

using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>The matrix of a linear layer, in whatever form it is kept.</summary>
internal abstract class WeightMatrix(int outputs, int inputs)
{
    public int Outputs { get; } = outputs;

    public int Inputs { get; } = inputs;

    /// <summary>Bytes it takes.</summary>
    public abstract long SizeBytes { get; }

    /// <summary>Training: x W^T + b, with gradients for x.</summary>
    public abstract Tensor Linear(Tensor x_MI, Tensor? bias_O);

    /// <summary>The tensor itself, where the matrix is one in float32 that may be trained.</summary>
    public virtual Tensor? Leaf => null;

    /// <summary>Training without a graph: y = x W^T, or y += where <paramref name="adds"/> is set. y may be columns of a wider tensor.</summary>
    public abstract void Product(Tensor x_MI, Tensor y_MO, bool adds);

    /// <summary>The way back: x = y W, or x += y W. y may be columns of a wider tensor.</summary>
    public abstract void BackProduct(Tensor y_MO, Tensor x_MI, bool adds);

    /// <summary>Serving: y = x W^T + b, the first rows by libtorch and the others by <see cref="RowKernel"/>. y may be columns of a wider tensor.</summary>
    public abstract void Multiply(Tensor x_MI, int blockRows, Tensor? bias_O, Tensor y_MO);

    /// <summary>The weights in float32; the caller's, and perhaps a view of the matrix's own.</summary>
    public abstract Tensor Read();

    /// <summary>Takes over weights of any floating type.</summary>
    public abstract void Write(Tensor weight_OI);
}

/// <summary>A matrix in float32.</summary>
internal sealed class PlainMatrix : WeightMatrix
{
    private readonly Tensor _weight_OI;
    private readonly RowSpan _rows_OI;

    public PlainMatrix(Tensor weight_OI)
        : base((int)weight_OI.size(0), (int)weight_OI.size(1))
    {
        _weight_OI = weight_OI;
        _rows_OI = RowSpan.Of(weight_OI);
    }

    public override long SizeBytes => _weight_OI.numel() * sizeof(float);

    public override Tensor Leaf => _weight_OI;

    public override void Product(Tensor x_MI, Tensor y_MO, bool adds)
    {
        using var weight_IO = _weight_OI.t();
        y_MO.addmm_(x_MI, weight_IO, adds ? 1 : 0, 1);
    }

    public override void BackProduct(Tensor y_MO, Tensor x_MI, bool adds) => x_MI.addmm_(y_MO, _weight_OI, adds ? 1 : 0, 1);

    public override Tensor Linear(Tensor x_MI, Tensor? bias_O) => nn.functional.linear(x_MI, _weight_OI, bias_O!);

    public override unsafe void Multiply(Tensor x_MI, int blockRows, Tensor? bias_O, Tensor y_MO)
    {
        var rows = (int)x_MI.size(0);
        if (blockRows > 0)
        {
            using var scope = NewDisposeScope();
            var block_MO = y_MO.narrow(0, 0, blockRows);
            if (bias_O is not null)
            {
                block_MO.copy_(bias_O);
            }

            block_MO.addmm_(x_MI.narrow(0, 0, blockRows), _weight_OI.t(), bias_O is null ? 0 : 1, 1);
        }

        if (rows > blockRows)
        {
            var bias = bias_O is null ? null : RowSpan.Pointer(bias_O);
            RowKernel.Multiply(
                RowSpan.Of(x_MI).Part(blockRows, rows - blockRows), _rows_OI, bias, RowSpan.Of(y_MO).Part(blockRows, rows - blockRows), TorchThreads.Count);
        }
    }

    public override Tensor Read() => _weight_OI.alias();

    public override void Write(Tensor weight_OI) => _weight_OI.copy_(weight_OI);
}
