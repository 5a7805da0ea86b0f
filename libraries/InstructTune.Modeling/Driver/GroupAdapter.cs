// Shape letters in this file:
//   M rows   I inputs   O outputs of one layer   R rank of one layer   S ranks of the group together

using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// The adapters of layers that read the same input: y += s B(A x). Their inner products are rows of one matrix, unless dropout gives each
/// its own input.
/// </summary>
internal sealed class GroupAdapter
{
    private readonly Member[] _members;
    private readonly RowSeeds? _dropout;
    private readonly Gradients _gradients;

    private GroupAdapter(Member[] members, RowSeeds? dropout, Gradients gradients)
    {
        (_members, _gradients) = (members, gradients);
        _dropout = members[0].Layer.Dropout > 0 ? dropout : null;
        RankSum = members.Sum(member => member.Layer.Rank);
    }

    /// <summary>Ranks of the group together.</summary>
    public int RankSum { get; }

    /// <summary>Null where no layer of the group is adapted.</summary>
    public static GroupAdapter? Of(ProjectionGroup group, LoraAdapter? adapter, RowSeeds? dropout, Gradients gradients)
    {
        var members = new List<Member>();
        var (output, rank) = (0, 0);
        foreach (var part in group.Parts)
        {
            if (adapter?.Modules.GetValueOrDefault(part.Path) is { } layer)
            {
                members.Add(new Member(layer, output, part.Weight.Outputs, rank));
                rank += layer.Rank;
            }

            output += part.Weight.Outputs;
        }

        return members.Count == 0 ? null : new GroupAdapter([.. members], dropout, gradients);
    }

    /// <summary>Adds to y, and fills h with A x.</summary>
    public void Forward(Tensor x_MI, Tensor h_MS, Tensor y_MO)
    {
        using var scope = NewDisposeScope();
        if (_dropout is null)
        {
            h_MS.addmm_(x_MI, InnerWeights().t(), 0, 1);
        }

        foreach (var member in _members)
        {
            if (_dropout is not null)
            {
                RanksOf(h_MS, member).addmm_(x_MI * Mask(member, x_MI), member.Layer.A_RI.t(), 0, 1);
            }

            OutputsOf(y_MO, member).addmm_(RanksOf(h_MS, member), member.Layer.B_OR.t(), 1, (float)member.Layer.Scale);
        }
    }

    /// <summary>Fills g with s dy B, and adds what goes on to the inputs, where somebody wants it.</summary>
    public void BackInput(Tensor dy_MO, Tensor g_MS, Tensor? dx_MI)
    {
        using var scope = NewDisposeScope();
        foreach (var member in _members)
        {
            RanksOf(g_MS, member).addmm_(OutputsOf(dy_MO, member), member.Layer.B_OR, 0, (float)member.Layer.Scale);
        }

        if (dx_MI is null)
        {
            return;
        }

        if (_dropout is null)
        {
            dx_MI.addmm_(g_MS, InnerWeights(), 1, 1);
            return;
        }

        foreach (var member in _members)
        {
            dx_MI.add_(RanksOf(g_MS, member).mm(member.Layer.A_RI).mul_(Mask(member, dx_MI)), LivingScalar.One);
        }
    }

    /// <summary>Adds to the gradients of A and B.</summary>
    public void BackWeights(Tensor dy_MO, Tensor x_MI, Tensor h_MS, Tensor g_MS)
    {
        using var scope = NewDisposeScope();
        if (_dropout is null)
        {
            var (inner_SI, adds) = _gradients.Of([.. _members.Select(member => member.Layer.A_RI)]);
            inner_SI.addmm_(g_MS.t(), x_MI, adds ? 1 : 0, 1);
        }

        foreach (var member in _members)
        {
            if (_dropout is not null)
            {
                var (inner_RI, innerAdds) = _gradients.Of(member.Layer.A_RI);
                inner_RI.addmm_(RanksOf(g_MS, member).t(), x_MI * Mask(member, x_MI), innerAdds ? 1 : 0, 1);
            }

            var (outer_OR, adds) = _gradients.Of(member.Layer.B_OR);
            outer_OR.addmm_(OutputsOf(dy_MO, member).t(), RanksOf(h_MS, member), adds ? 1 : 0, (float)member.Layer.Scale);
        }
    }

    private static Tensor RanksOf(Tensor h_MS, Member member) => h_MS.narrow(1, member.FirstRank, member.Layer.Rank);

    private static Tensor OutputsOf(Tensor y_MO, Member member) => y_MO.narrow(1, member.FirstOutput, member.Outputs);

    private Tensor InnerWeights() => _members.Length == 1 ? _members[0].Layer.A_RI.alias() : cat([.. _members.Select(member => member.Layer.A_RI)], 0);

    private Tensor Mask(Member member, Tensor x_MI) => DropoutMask.Draw(x_MI.size(0), x_MI.size(1), member.Layer.Dropout, _dropout!.Derive(member.Layer.Path));

    private sealed record Member(LoraLinear Layer, int FirstOutput, int Outputs, int FirstRank);
}
