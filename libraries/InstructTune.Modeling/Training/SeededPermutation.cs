using InstructTune.Modeling.Numerics;

namespace InstructTune.Modeling.Training;

/// <summary>Permutations that are a pure function of their seed.</summary>
public static class SeededPermutation
{
    /// <summary>The permutation of 0 to <paramref name="count"/> - 1 that belongs to <paramref name="seed"/>.</summary>
    public static int[] Of(int count, StepSeed seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var order = Enumerable.Range(0, count).ToArray();
        var state = seed.Value;
        for (var i = count - 1; i > 0; i--)
        {
            var j = (int)Below((ulong)i + 1, ref state);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    /// <summary>
    /// The first <paramref name="subsetCount"/> entries of the permutation, in rising order; all for 0. A smaller subset is contained in
    /// every larger one of the same seed.
    /// </summary>
    public static int[] Subset(int count, long subsetCount, StepSeed seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(subsetCount);
        if (subsetCount == 0 || subsetCount >= count)
        {
            return [.. Enumerable.Range(0, count)];
        }

        var subset = Of(count, seed)[..(int)subsetCount];
        Array.Sort(subset);
        return subset;
    }

    /// <summary>The high half of a 128-bit product, after Lemire; the rejection keeps it exactly uniform.</summary>
    private static ulong Below(ulong bound, ref ulong state)
    {
        var threshold = (0UL - bound) % bound;
        while (true)
        {
            var high = Math.BigMul(Next(ref state), bound, out var low);
            if (low >= threshold)
            {
                return high;
            }
        }
    }

    /// <summary>SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    private static ulong Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
