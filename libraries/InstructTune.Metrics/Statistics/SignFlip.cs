using System.Numerics;

namespace InstructTune.Metrics.Statistics;

/// <summary>
/// The sign-flip permutation test of paired differences: were the signs chance, how often would their sum be as far from 0?
/// </summary>
public static class SignFlip
{
    private const int LargestExact = 20;
    private const int RandomPatterns = 10_000;
    private const int UnitBits = 40;

    /// <summary>
    /// Two-sided p value: exact up to 20 differences other than 0, else from 10,000 random patterns that
    /// <paramref name="seed"/> fixes.
    /// </summary>
    public static double PValue(IReadOnlyList<double> differences, ulong seed)
    {
        var greatest = differences.Count == 0 ? 0 : differences.Max(Math.Abs);
        if (greatest == 0)
        {
            return 1;
        }
        // Sums are compared as integers: as doubles, a pattern of the observed sum can miss it by one rounding.
        var units = differences.Select(d => (long)Math.Round(Math.ScaleB(d / greatest, UnitBits))).Where(unit => unit != 0).ToArray();
        var border = Math.Abs(units.Sum()) - units.Length;
        return units.Length <= LargestExact ? Exact(units, border) : Sampled(units, border, seed);
    }

    private static double Exact(long[] units, long border)
    {
        var patterns = 1L << units.Length;
        var negative = new bool[units.Length];
        var sum = units.Sum();
        var hits = sum >= border || -sum >= border ? 1L : 0;
        for (var pattern = 1L; pattern < patterns; pattern++)
        {
            // In Gray code one sign changes at a time.
            var changed = BitOperations.TrailingZeroCount(pattern);
            negative[changed] = !negative[changed];
            sum += (negative[changed] ? -2 : 2) * units[changed];
            hits += Math.Abs(sum) >= border ? 1 : 0;
        }
        return hits / (double)patterns;
    }

    private static double Sampled(long[] units, long border, ulong seed)
    {
        var random = new SplitMix64(seed);
        var hits = 0;
        for (var pattern = 0; pattern < RandomPatterns; pattern++)
        {
            var (sum, signs) = (0L, 0UL);
            for (var i = 0; i < units.Length; i++)
            {
                signs = i % 64 == 0 ? random.Next() : signs >> 1;
                sum += (signs & 1) == 0 ? units[i] : -units[i];
            }
            hits += Math.Abs(sum) >= border ? 1 : 0;
        }
        return (1 + hits) / (double)(1 + RandomPatterns);
    }
}
