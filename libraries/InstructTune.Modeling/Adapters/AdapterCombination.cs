using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>How several adapters of one base become one. The names are PEFT's.</summary>
public enum CombinationKind
{
    /// <summary>Weighted sums of A and of B apart. Ranks must be equal.</summary>
    Linear,

    /// <summary>A and B side by side: exactly the weighted sum of what the adapters do, at the sum of their ranks.</summary>
    Cat,

    /// <summary>The best approximation of that sum at a given rank.</summary>
    Svd,

    /// <summary>Linear over what is left of each when small values are dropped and values against the majority's sign (TIES).</summary>
    Ties,

    /// <summary>Linear over what is left of each when values are dropped at random (DARE).</summary>
    DareLinear,

    /// <summary>Values dropped at random, and then those against the majority's sign.</summary>
    DareTies,

    /// <summary>Linear over what is left of each when small values are dropped.</summary>
    MagnitudePrune,
}

/// <summary>A way to combine adapters.</summary>
/// <param name="Kind">The rule.</param>
public sealed record AdapterCombination(CombinationKind Kind)
{
    /// <summary>Share of values kept, for the rules that drop some.</summary>
    public double Density { get; init; } = 0.5;

    /// <summary>Whether each value counts once for the majority's sign, in place of its size.</summary>
    public bool CountsSigns { get; init; }

    /// <summary>Rank of the result of <see cref="CombinationKind.Svd"/>; 0 for the greatest among the adapters.</summary>
    public int SvdRank { get; init; }

    /// <summary>Where random drops come from.</summary>
    public StepSeed Seed { get; init; }

    /// <summary>Draws the mask of kept values, for comparisons with other programs; null for draws from <see cref="Seed"/>.</summary>
    internal Func<string, long[], Tensor>? Mask { get; init; }

    /// <summary>One adapter, of scale 1, out of several. The caller disposes it.</summary>
    /// <param name="adapters">Plain adapters of one base, and their weights, which may be negative.</param>
    /// <exception cref="ModelFormatException">They cannot be combined so.</exception>
    public LoraAdapter Combine(IReadOnlyList<(LoraAdapter Adapter, double Weight)> adapters)
    {
        RefuseUnfit(adapters);
        using var frozen = no_grad();
        var paths = adapters.SelectMany(a => a.Adapter.Modules.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var pairs = paths.Select(path => (Path: path, Pair: Combine(path, adapters))).ToArray();
        var ranks = pairs.Select(p => (int)p.Pair.A_RI.size(0)).ToArray();
        var config = new LoraConfig
        {
            Rank = ranks.Max(),
            Alpha = ranks.Max(),
            TargetModules = paths,
            RankPattern = [.. pairs.Zip(ranks).Where(p => p.Second != ranks.Max()).Select(p => KeyValuePair.Create(p.First.Path, p.Second))],
            AlphaPattern = [.. pairs.Zip(ranks).Where(p => p.Second != ranks.Max()).Select(p => KeyValuePair.Create(p.First.Path, (double)p.Second))],
            BaseModelName = adapters[0].Adapter.Config.BaseModelName,
        };
        return new LoraAdapter(config, [.. pairs.SelectMany(p => Planned(p.Path, p.Pair.A_RI, p.Pair.B_OR)).OrderBy(t => t.Plan.Key, StringComparer.Ordinal)]);
    }

    private static IEnumerable<(PlannedTensor Plan, Tensor Value)> Planned(string path, Tensor a_RI, Tensor b_OR) =>
    [
        (AdapterPlan.Pair(AdapterPart.A, path, a_RI.shape), a_RI),
        (AdapterPlan.Pair(AdapterPart.B, path, b_OR.shape), b_OR),
    ];

    private (Tensor A_RI, Tensor B_OR) Combine(string path, IReadOnlyList<(LoraAdapter Adapter, double Weight)> adapters)
    {
        using var scope = NewDisposeScope();
        var parts = adapters.Where(a => a.Adapter.Modules.ContainsKey(path))
            .Select(a => new AdapterShare(a.Adapter.Modules[path].A_RI, a.Adapter.Modules[path].B_OR, a.Weight * a.Adapter.Modules[path].Scale)).ToArray();
        var (a_RI, b_OR) = Kind switch
        {
            CombinationKind.Cat => Stack(parts, adapters.Sum(a => a.Adapter.Config.Rank)),
            CombinationKind.Svd => Approximate(parts),
            _ => new TensorVote(this, path).Combine(parts),
        };
        return (a_RI.MoveToOuterDisposeScope(), b_OR.MoveToOuterDisposeScope());
    }

    // As PEFT: every module has the sum of the adapters' ranks, filled up with zeros where an adapter does nothing.
    private static (Tensor A_RI, Tensor B_OR) Stack(AdapterShare[] parts, int rank)
    {
        var missing = Math.Max(0, rank - parts.Sum(p => p.A_RI.size(0)));
        return (
            cat([.. parts.Select(p => p.A_RI * p.Weight), zeros(missing, parts[0].A_RI.size(1))], 0),
            cat([.. parts.Select(p => p.B_OR), zeros(parts[0].B_OR.size(0), missing)], 1));
    }

    private (Tensor A_RI, Tensor B_OR) Approximate(AdapterShare[] parts)
    {
        var sum_OI = parts.Select(p => p.B_OR.mm(p.A_RI) * p.Weight).Aggregate((x, y) => x + y);
        var rank = SvdRank > 0 ? SvdRank : parts.Max(p => (int)p.A_RI.size(0));
        var (u_OR, s_R, v_RI) = linalg.svd(sum_OI, fullMatrices: false);
        rank = (int)Math.Min(rank, s_R.size(0));
        return (v_RI.narrow(0, 0, rank).contiguous(), (u_OR.narrow(1, 0, rank) * s_R.narrow(0, 0, rank)).contiguous());
    }

    private void RefuseUnfit(IReadOnlyList<(LoraAdapter Adapter, double Weight)> adapters)
    {
        ArgumentOutOfRangeException.ThrowIfZero(adapters.Count);
        if (adapters.Select(a => a.Adapter.Config.CombinationObstacle).FirstOrDefault(o => o is not null) is { } field)
        {
            throw new ModelFormatException("adapter_config.json", field, "such an adapter cannot be combined with others; merge it into its base");
        }

        if (Kind is CombinationKind.Cat or CombinationKind.Svd)
        {
            return;
        }

        foreach (var group in adapters.SelectMany(a => a.Adapter.Modules.Values).GroupBy(m => m.Path, StringComparer.Ordinal))
        {
            if (group.Select(m => m.Rank).Distinct().Count() > 1)
            {
                throw new ModelFormatException("adapter_config.json", "r", $"{group.Key} has ranks {string.Join(" and ", group.Select(m => m.Rank).Distinct())}; only cat and svd combine different ranks");
            }
        }
    }
}

/// <summary>What one adapter brings to one module.</summary>
internal sealed record AdapterShare(Tensor A_RI, Tensor B_OR, double Weight);
