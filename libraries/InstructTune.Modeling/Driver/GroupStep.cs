// Shape letters in this file:
//   M rows   I inputs   O outputs of the group   S ranks of its adapters together

using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>Linear layers over one input, there and back, with what is trained of them: their own weights or adapters.</summary>
internal sealed class GroupStep(
    ProjectionGroup group, LoraAdapter? adapter, RowSeeds? dropout, Gradients gradients, Action<DriverWork>? working)
{
    private readonly GroupAdapter? _adapter = GroupAdapter.Of(group, adapter, dropout, gradients);

    /// <summary>Outputs of all layers.</summary>
    public int Outputs { get; } = group.Parts.Sum(part => part.Weight.Outputs);

    /// <summary>Ranks of the adapters together; 0 for none.</summary>
    public int RankSum => _adapter?.RankSum ?? 0;

    /// <summary>Whether any gradient is wanted here.</summary>
    public bool IsTrained => _adapter is not null || group.Parts.Any(part => IsLeaf(part.Weight.Leaf) || IsLeaf(part.Bias_O));

    /// <summary>y = x W^T + b, or y += where <paramref name="adds"/> is set. Returns the adapters' inner products, for the way back.</summary>
    public Tensor? Forward(Tensor x_MI, Tensor y_MO, bool adds, Arena arena)
    {
        using var scope = NewDisposeScope();
        if (group.Bias_O is { } bias_O)
        {
            _ = adds ? y_MO.add_(bias_O, LivingScalar.One) : y_MO.copy_(bias_O);
        }

        working?.Invoke(DriverWork.Products);
        Each(y_MO, (weight, part_MO) => weight.Product(x_MI, part_MO, adds || group.Bias_O is not null));
        if (_adapter is null)
        {
            working?.Invoke(DriverWork.Rows);
            return null;
        }

        working?.Invoke(DriverWork.Adapters);
        var h_MS = arena.Take(x_MI.size(0), RankSum);
        _adapter.Forward(x_MI, h_MS, y_MO);
        working?.Invoke(DriverWork.Rows);
        return h_MS.MoveToOuterDisposeScope();
    }

    /// <summary>dx = dy W, adapters included. Returns what <see cref="BackWeights"/> needs of it. Without dx only that.</summary>
    public Tensor? BackInput(Tensor dy_MO, Tensor? dx_MI, Arena arena)
    {
        using var scope = NewDisposeScope();
        working?.Invoke(DriverWork.Products);
        if (dx_MI is not null)
        {
            var adds = false;
            Each(dy_MO, (weight, part_MO) =>
            {
                weight.BackProduct(part_MO, dx_MI, adds);
                adds = true;
            });
        }

        if (_adapter is null)
        {
            working?.Invoke(DriverWork.Rows);
            return null;
        }

        working?.Invoke(DriverWork.Adapters);
        var g_MS = arena.Take(dy_MO.size(0), RankSum);
        _adapter.BackInput(dy_MO, g_MS, dx_MI);
        working?.Invoke(DriverWork.Rows);
        return g_MS.MoveToOuterDisposeScope();
    }

    /// <summary>Adds to the gradients of what is trained.</summary>
    public void BackWeights(Tensor dy_MO, Tensor x_MI, Tensor? h_MS, Tensor? g_MS)
    {
        using var scope = NewDisposeScope();
        working?.Invoke(DriverWork.Adapters);
        _adapter?.BackWeights(dy_MO, x_MI, h_MS!, g_MS!);
        working?.Invoke(DriverWork.Products);
        if (group.Whole is not null && group.Parts.All(part => IsLeaf(part.Weight.Leaf)))
        {
            var (whole_OI, adds) = gradients.Of([.. group.Parts.Select(part => part.Weight.Leaf!)]);
            whole_OI.addmm_(dy_MO.t(), x_MI, adds ? 1 : 0, 1);
        }
        else
        {
            EachPart(dy_MO, (part, part_MO) => AddWeight(part.Weight.Leaf, part_MO, x_MI));
        }

        EachPart(dy_MO, (part, part_MO) => AddBias(part.Bias_O, part_MO));
        working?.Invoke(DriverWork.Rows);
    }

    private static bool IsLeaf(Tensor? weight) => weight is { requires_grad: true };

    private void AddWeight(Tensor? leaf, Tensor dy_MO, Tensor x_MI)
    {
        if (IsLeaf(leaf))
        {
            var (gradient_OI, adds) = gradients.Of(leaf!);
            gradient_OI.addmm_(dy_MO.t(), x_MI, adds ? 1 : 0, 1);
        }
    }

    private void AddBias(Tensor? bias_O, Tensor dy_MO)
    {
        if (!IsLeaf(bias_O))
        {
            return;
        }

        var (gradient_O, adds) = gradients.Of(bias_O!);
        var sum_O = dy_MO.sum([0]);
        _ = adds ? gradient_O.add_(sum_O, LivingScalar.One) : gradient_O.copy_(sum_O);
    }

    private void Each(Tensor y_MO, Action<WeightMatrix, Tensor> work)
    {
        if (group.Whole is { } whole)
        {
            work(whole, y_MO);
            return;
        }

        EachPart(y_MO, (part, part_MO) => work(part.Weight, part_MO));
    }

    private void EachPart(Tensor y_MO, Action<Projection, Tensor> work)
    {
        long first = 0;
        foreach (var part in group.Parts)
        {
            using var part_MO = y_MO.narrow(1, first, part.Weight.Outputs);
            work(part, part_MO);
            first += part.Weight.Outputs;
        }
    }
}
