// Shape letters in this file:
//   M rows   O outputs   I inputs

using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>A matrix whose products are libtorch's, wherever it lies: inputs take the type of the weights, results are float32.</summary>
internal sealed class TensorMatrix(Tensor weight_OI) : WeightMatrix((int)weight_OI.size(0), (int)weight_OI.size(1))
{
    public override long SizeBytes => weight_OI.numel() * weight_OI.element_size();

    public override Tensor? Leaf => weight_OI.dtype == ScalarType.Float32 ? weight_OI : null;

    public override Tensor Linear(Tensor x_MI, Tensor? bias_O)
    {
        var y_MO = nn.functional.linear(x_MI.to_type(weight_OI.dtype), weight_OI).to_type(ScalarType.Float32);
        return bias_O is null ? y_MO : y_MO.add(bias_O, LivingScalar.One);
    }

    public override void Multiply(Tensor x_MI, int blockRows, Tensor? bias_O, Tensor y_MO)
    {
        using var scope = NewDisposeScope();
        y_MO.copy_(Linear(x_MI, bias_O));
    }

    public override void Product(Tensor x_MI, Tensor y_MO, bool adds)
    {
        using var scope = NewDisposeScope();
        Set(y_MO, x_MI.to_type(weight_OI.dtype).mm(weight_OI.t()), adds);
    }

    public override void BackProduct(Tensor y_MO, Tensor x_MI, bool adds)
    {
        using var scope = NewDisposeScope();
        Set(x_MI, y_MO.to_type(weight_OI.dtype).mm(weight_OI), adds);
    }

    public override Tensor Read() => weight_OI.dtype == ScalarType.Float32 ? weight_OI.alias() : weight_OI.to_type(ScalarType.Float32);

    public override void Write(Tensor value_OI) => weight_OI.copy_(value_OI);

    private static void Set(Tensor target, Tensor value, bool adds)
    {
        if (adds)
        {
            target.add_(value.to_type(ScalarType.Float32), LivingScalar.One);
        }
        else
        {
            target.copy_(value);
        }
    }
}
