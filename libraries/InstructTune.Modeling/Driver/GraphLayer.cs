// Shape letters in this file:
//   R rows   D model width

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// A layer by libtorch's graph, for adapters that change the base product itself (DoRA, biases): its graph ends at its own input, so that layers
/// still come one by one.
/// </summary>
internal sealed class GraphLayer(TransformerBlock block, TrainingPass pass) : ILayerStep
{
    private (Tensor X_RD, Tensor Y_RD)? _kept;

    public bool IsTrained => true;

    public void Forward(Tensor x_RD, Tensor y_RD, bool keeps)
    {
        using var scope = NewDisposeScope();
        if (!keeps)
        {
            y_RD.copy_(block.Forward(x_RD, pass));
            return;
        }

        _kept = WithGraph(x_RD);
        _kept.Value.X_RD.MoveToOuterDisposeScope();
        y_RD.copy_(_kept.Value.Y_RD.MoveToOuterDisposeScope());
    }

    public void Backward(Tensor x_RD, Tensor gradient_RD, bool goesOn)
    {
        using var scope = NewDisposeScope();
        var (leaf_RD, y_RD) = _kept ?? WithGraph(x_RD);
        y_RD.backward([gradient_RD]);
        if (goesOn)
        {
            gradient_RD.copy_(leaf_RD.grad!);
        }

        leaf_RD.Dispose();
        y_RD.Dispose();
        _kept = null;
    }

    private (Tensor X_RD, Tensor Y_RD) WithGraph(Tensor x_RD)
    {
        using var graph = enable_grad();

        // A copy: libtorch counts changes of all memory that shares a block, and would refuse a graph over a part of one.
        var leaf_RD = x_RD.clone().requires_grad_();
        return (leaf_RD, block.Forward(leaf_RD, pass));
    }
}
