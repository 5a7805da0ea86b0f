namespace InstructTune.Metrics.Statistics;

/// <summary>McNemar's exact test of two yes-or-no scores of the same items.</summary>
public static class McNemar
{
    /// <summary>Two-sided p value from the numbers of items that only the one or only the other got right.</summary>
    public static double ExactP(long wins, long losses)
    {
        var (count, lesser) = (wins + losses, Math.Min(wins, losses));
        if (wins == losses)
        {
            return 1;
        }
        // The term C(count, lesser) / 2^count, with its powers of two kept apart so that nothing under- or overflows.
        var (mantissa, exponent) = (1.0, -count);
        for (var i = 1L; i <= lesser; i++)
        {
            mantissa *= (count - lesser + i) / (double)i;
            var shift = Math.ILogB(mantissa);
            mantissa = Math.ScaleB(mantissa, -shift);
            exponent += shift;
        }
        var sum = 1.0;
        var term = 1.0;
        for (var i = lesser; i > 0 && term > sum * 1e-18; i--)
        {
            term *= i / (double)(count - i + 1);
            sum += term;
        }
        return Math.Min(1, Math.ScaleB(mantissa * sum * 2, (int)Math.Max(exponent, -2000)));
    }
}
