// Shape letters in this file:
//   M rows   O outputs   I inputs

using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// A linear layer over a <see cref="PackedMatrix"/>, with gradients for its inputs. libtorch would keep a float32 matrix from the forward
/// pass for the backward pass; this keeps the packed one and widens it again.
/// </summary>
internal sealed class FrozenLinear : autograd.SingleTensorFunction<FrozenLinear>
{
    private const string Matrix = "matrix";

    public override string Name => nameof(FrozenLinear);

    public static Tensor Apply(Tensor x_MI, PackedMatrix matrix, Tensor? bias_O)
    {
        var y_MO = apply(x_MI, matrix);
        return bias_O is null ? y_MO : y_MO.add(bias_O, LivingScalar.One);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x_MI, matrix) = ((Tensor)vars[0], (PackedMatrix)vars[1]);
        ctx.save_data(Matrix, matrix);
        var y_MO = empty(x_MI.size(0), matrix.Outputs);
        matrix.Product(x_MI, null, y_MO);
        return y_MO;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        [((PackedMatrix)ctx.get_data(Matrix)).BackProduct(grad_output), null!];
}
