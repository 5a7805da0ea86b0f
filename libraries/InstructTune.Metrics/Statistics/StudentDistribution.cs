namespace InstructTune.Metrics.Statistics;

/// <summary>Student's t distribution.</summary>
public static class StudentDistribution
{
    private const double Tiny = 1e-300;
    private const int BisectionSteps = 2200;

    /// <summary>The probability of a value greater than <paramref name="t"/>.</summary>
    public static double UpperTail(double t, double degreesOfFreedom)
    {
        if (t < 0)
        {
            return 1 - UpperTail(-t, degreesOfFreedom);
        }
        if (double.IsInfinity(t))
        {
            return 0;
        }
        // P(T > t) = I(n/(n+t2); n/2, 1/2) / 2. The continued fraction converges fast on one side of the mean only;
        // on the other the complement I(t2/(n+t2); 1/2, n/2) is taken.
        var (n, square) = (degreesOfFreedom, t * t);
        var common = Front(n, square);
        return n / (n + square) < (n + 2) / (n + 5)
            ? common / (n / 2) * ContinuedFraction(n / 2, 0.5, n / (n + square)) / 2
            : (1 - (common / 0.5 * ContinuedFraction(0.5, n / 2, square / (n + square)))) / 2;
    }

    /// <summary>The value below which the share <paramref name="probability"/> lies; probability in (0, 1).</summary>
    public static double Quantile(double probability, double degreesOfFreedom)
    {
        if (probability is not (> 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "must lie between 0 and 1");
        }
        return probability > 0.5
            ? UpperQuantile(1 - probability, degreesOfFreedom)
            : -UpperQuantile(probability, degreesOfFreedom);
    }

    private static double UpperQuantile(double tail, double degreesOfFreedom)
    {
        var (low, high) = (0.0, 1.0);
        while (UpperTail(high, degreesOfFreedom) > tail)
        {
            (low, high) = (high, high * 2);
        }
        for (var step = 0; step < BisectionSteps; step++)
        {
            var middle = low + ((high - low) / 2);
            if (middle <= low || middle >= high)
            {
                break;
            }
            (low, high) = UpperTail(middle, degreesOfFreedom) > tail ? (middle, high) : (low, middle);
        }
        return high;
    }

    // x^(n/2) (1-x)^(1/2) / B(n/2, 1/2) at x = n/(n+t2): the same on both sides.
    private static double Front(double n, double square) => square == 0
        ? 0
        : Math.Exp((-n / 2 * LogOnePlus(square / n)) - (0.5 * LogOnePlus(n / square))) * GammaRatio(n / 2) / Math.Sqrt(Math.PI);

    private static double ContinuedFraction(double a, double b, double x)
    {
        var c = 1.0;
        var d = 1 / Away(1 - ((a + b) * x / (a + 1)));
        var value = d;
        for (var m = 1; m < 1_000_000; m++)
        {
            var even = m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)));
            d = 1 / Away(1 + (even * d));
            c = Away(1 + (even / c));
            value *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1));
            d = 1 / Away(1 + (odd * d));
            c = Away(1 + (odd / c));
            value *= d * c;
            if (Math.Abs((d * c) - 1) < 1e-16)
            {
                break;
            }
        }
        return value;
    }

    private static double Away(double value) => Math.Abs(value) < Tiny ? Tiny : value;

    // Gamma(x + 1/2) / Gamma(x): Stirling's series for the difference of logarithms, reached by the recurrence.
    private static double GammaRatio(double x)
    {
        var factor = 1.0;
        while (x < 20)
        {
            factor *= x / (x + 0.5);
            x += 1;
        }
        var inverse = 1 / x;
        var square = inverse * inverse;
        var series = inverse * (-0.125 + (square * ((1.0 / 192) + (square * ((-1.0 / 640) + (square * (17.0 / 14336)))))));
        return factor * Math.Sqrt(x) * Math.Exp(series);
    }

    // Math.Log(1 + x) loses the digits of a small x.
    private static double LogOnePlus(double x)
    {
        var sum = 1 + x;
        return sum == 1 || double.IsInfinity(sum) ? (sum == 1 ? x : Math.Log(x)) : Math.Log(sum) * (x / (sum - 1));
    }
}
