using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Data;

/// <summary>
/// Which example of which component stands where in a mix: a function of the mix, the sizes and the digests of its components. Counts are exact, and so are
/// shares: after any number of draws no component is a whole example away from its weight.
/// </summary>
internal sealed class MixPlan
{
    private const long MaxExamples = 50_000_000;

    private readonly List<(int Component, int Index)> _places = [];

    private MixPlan()
    {
    }

    /// <summary>Component and index of every example, in order.</summary>
    public IReadOnlyList<(int Component, int Index)> Places => _places;

    /// <summary>How often each component occurs.</summary>
    public IReadOnlyList<long> Counts(int components)
    {
        var counts = new long[components];
        foreach (var (component, _) in _places)
        {
            counts[component]++;
        }

        return counts;
    }

    /// <summary>What is wrong with a component's amount; null where nothing is.</summary>
    public static string? Problem(MixComponent component, long exampleCount)
    {
        var amount = AmountOf(component, exampleCount);
        return amount > exampleCount && !component.AllowsRepeats
            ? $"asks for {amount} examples and the version holds {exampleCount}; ask for fewer, or set allow_repeats"
            : null;
    }

    /// <summary>What is wrong with a mix as a whole; null where nothing is.</summary>
    public static string? Problem(MixSpec mix, IReadOnlyList<DatasetFacts> components)
    {
        if (components.Any(component => component.ExampleCount == 0))
        {
            return "has a component without examples";
        }

        var pools = mix.Components.Zip(components, (component, facts) => AmountOf(component, facts.ExampleCount)).ToArray();
        var total = mix.Strategy == MixStrategy.InterleaveUntilAll ? DrawsUntilAll(mix, components, pools) : pools.Sum();
        total = mix is { Strategy: not MixStrategy.Concatenate, ExampleCount: > 0 } ? Math.Min(mix.ExampleCount, total) : total;
        return total > MaxExamples ? $"would have about {total} examples; at most {MaxExamples} are possible" : null;
    }

    /// <param name="mix">Valid.</param>
    /// <param name="components">What it names, in order.</param>
    public static MixPlan Of(MixSpec mix, IReadOnlyList<DatasetFacts> components)
    {
        var plan = new MixPlan();
        var samples = mix.Components.Zip(components, (component, facts) => Sample(mix.Seed, component, facts)).ToArray();
        if (mix.Strategy == MixStrategy.Concatenate)
        {
            for (var i = 0; i < samples.Length; i++)
            {
                plan._places.AddRange(samples[i].Select(index => (i, index)));
            }

            return plan;
        }

        plan.Interleave(mix, [.. Weights(mix, components)], samples);
        return plan;
    }

    /// <summary>The share of each component in the draws.</summary>
    public static IEnumerable<double> Weights(MixSpec mix, IReadOnlyList<DatasetFacts> components)
    {
        var power = 1 / (mix.Temperature == 0 ? 1 : mix.Temperature);
        return mix.Components.Zip(components, (component, facts) => component.Weight ?? Math.Pow(AmountOf(component, facts.ExampleCount), power));
    }

    private static long AmountOf(MixComponent component, long exampleCount) =>
        component.ExampleCount
        ?? (component.Fraction is { } fraction ? Math.Max(1, (long)Math.Round(fraction * exampleCount, MidpointRounding.AwayFromZero)) : exampleCount);

    private static long DrawsUntilAll(MixSpec mix, IReadOnlyList<DatasetFacts> components, long[] pools)
    {
        var weights = Weights(mix, components).ToArray();
        var sum = weights.Sum();
        return (long)Math.Min(long.MaxValue / 2.0, weights.Zip(pools, (weight, pool) => pool * sum / weight).Max());
    }

    // Prefixes of one permutation, which follows from the content; when it is used up, of the next one.
    private static int[] Sample(ulong seed, MixComponent component, DatasetFacts facts)
    {
        var left = AmountOf(component, facts.ExampleCount);
        var sample = new List<int>();
        for (var pass = 0; left > 0; pass++)
        {
            var order = SeededPermutation.Of((int)facts.ExampleCount, StepSeed.Of(seed, facts.ContentSha256, pass, "mix"));
            sample.AddRange(order.Take((int)Math.Min(left, order.Length)));
            left -= order.Length;
        }

        return [.. sample];
    }

    private void Interleave(MixSpec mix, double[] weights, int[][] samples)
    {
        var limit = mix.ExampleCount > 0 ? mix.ExampleCount : long.MaxValue;
        var taken = new long[samples.Length];
        var turns = new DrawOrder(weights);
        while (_places.Count < limit && turns.ActiveCount > 0)
        {
            var component = turns.Next();
            _places.Add((component, samples[component][taken[component] % samples[component].Length]));
            taken[component]++;
            if (taken[component] % samples[component].Length != 0)
            {
                continue;
            }

            var isOver = mix.Strategy switch
            {
                MixStrategy.InterleaveUntilFirst => true,
                MixStrategy.InterleaveUntilAll => mix.ExampleCount == 0 && taken.Zip(samples, (count, sample) => count >= sample.Length).All(isUsedUp => isUsedUp),
                _ => false,
            };
            if (isOver)
            {
                return;
            }

            if (mix.Strategy == MixStrategy.InterleaveOnce)
            {
                turns.Remove(component);
            }
        }
    }
}
