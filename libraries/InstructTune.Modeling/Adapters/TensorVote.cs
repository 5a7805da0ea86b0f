// Shape letters in this file:
//   N adapters

using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>
/// The rules that combine the A of several adapters, and their B, apart: each with weight sqrt(|weight * scale|), where only A carries the
/// sign of a negative one. Order of operations as in PEFT.
/// </summary>
internal sealed class TensorVote(AdapterCombination rule, string path)
{
    public (Tensor A_RI, Tensor B_OR) Combine(AdapterShare[] parts)
    {
        var roots = parts.Select(p => Math.Sqrt(Math.Abs(p.Weight))).ToArray();
        var signed = parts.Zip(roots, (p, root) => p.Weight < 0 ? -root : root).ToArray();
        return (Combine([.. parts.Select(p => p.A_RI)], signed, "A"), Combine([.. parts.Select(p => p.B_OR)], roots, "B"));
    }

    private Tensor Combine(Tensor[] tensors, double[] weights, string part)
    {
        var kept = stack([.. tensors.Select((t, i) => t.detach() * Kept(t, part, i))], 0);
        var weight = tensor([.. weights.Select(w => (float)w)]).view(-1, 1, 1);
        if (rule.Kind is not (CombinationKind.Ties or CombinationKind.DareTies))
        {
            return (kept * weight).sum([0]);
        }

        var majority = MajoritySign(kept);
        var agrees = kept.sign().eq(majority);
        return (kept * weight * agrees).sum([0]) / agrees.sum([0]).clamp(min: 1);
    }

    private Tensor Kept(Tensor values, string part, int adapter) => rule.Kind switch
    {
        CombinationKind.Linear => ones_like(values),
        CombinationKind.DareLinear or CombinationKind.DareTies => (rule.Mask ?? Draw)($"{path}.{part}.{adapter}", values.shape).to_type(ScalarType.Float32) / rule.Density,
        _ => Largest(values),
    };

    // Zeros count for neither sign; where sums are zero, the majority is positive.
    private Tensor MajoritySign(Tensor values)
    {
        var sum = rule.CountsSigns ? values.sign().sum([0]) : values.sum([0]);
        return where(sum.ge(0), ones_like(sum), ones_like(sum).neg());
    }

    private Tensor Largest(Tensor values)
    {
        var count = (int)(rule.Density * values.numel());
        var mask = zeros([values.numel()]);
        if (count > 0)
        {
            var (_, places) = values.detach().abs().reshape(-1).topk(count, dim: 0);
            mask.index_fill_(0, places, 1);
        }

        return mask.view(values.shape);
    }

    private Tensor Draw(string name, long[] shape) =>
        DropoutMask.Draw(shape, 1 - rule.Density, rule.Seed.Derive(name)).ne(0);
}
