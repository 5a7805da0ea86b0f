namespace InstructTune.Metrics.Statistics;

/// <summary>How one run differs from another on the same items.</summary>
public sealed record PairedComparison
{
    /// <summary>Below this many disagreements the normal interval of 0/1 scores is coarse.</summary>
    private const long FewDisagreementsBorder = 10;

    /// <summary>Mean of candidate minus baseline.</summary>
    public required double Difference { get; init; }

    /// <summary>95% interval of the difference.</summary>
    public required Interval Interval95 { get; init; }

    /// <summary>90% interval of the difference: within the margin, both one-sided tests at 5% show equivalence.</summary>
    public required Interval Interval90 { get; init; }

    /// <summary>Two-sided: McNemar's exact test for 0/1 scores, sign flips for others.</summary>
    public required double PValue { get; init; }

    /// <summary>Items on which the candidate scored more.</summary>
    public required long Wins { get; init; }

    /// <summary>Items on which the candidate scored less.</summary>
    public required long Losses { get; init; }

    /// <summary>Items with equal scores.</summary>
    public required long Ties { get; init; }

    /// <summary>Whether 0/1 scores disagree so rarely that the interval is coarse.</summary>
    public required bool HasFewDisagreements { get; init; }

    /// <summary>Compares scores item by item; <paramref name="seed"/> fixes the random sign flips of many real-valued scores.</summary>
    public static PairedComparison Of(IReadOnlyList<double> baseline, IReadOnlyList<double> candidate, ulong seed)
    {
        if (baseline.Count != candidate.Count || baseline.Count == 0)
        {
            throw new ArgumentException("must be as many as the baseline's, at least one", nameof(candidate));
        }
        var differences = candidate.Zip(baseline, (b, a) => b - a).ToArray();
        var wins = differences.LongCount(difference => difference > 0);
        var losses = differences.LongCount(difference => difference < 0);
        var binary = baseline.Concat(candidate).All(score => score is 0 or 1);
        return new PairedComparison
        {
            Difference = differences.Sum() / differences.Length,
            Interval95 = IntervalOf(differences, binary, wins, losses, 0.95),
            Interval90 = IntervalOf(differences, binary, wins, losses, 0.90),
            PValue = binary ? McNemar.ExactP(wins, losses) : SignFlip.PValue(differences, seed),
            Wins = wins,
            Losses = losses,
            Ties = differences.Length - wins - losses,
            HasFewDisagreements = binary && wins + losses < FewDisagreementsBorder,
        };
    }

    private static Interval IntervalOf(double[] differences, bool binary, long wins, long losses, double confidence)
    {
        if (wins + losses == 0)
        {
            // Two runs that never disagreed: the standard error is 0, yet few items prove little. The difference of
            // scores in [0, 1] cannot exceed the share of disagreements, and that share has an upper bound.
            var border = ScoreInterval.Wilson(0, differences.Length, confidence).Upper;
            return new Interval(-border, border);
        }
        var interval = binary && differences.Length > 1
            ? OfProportions(wins, losses, differences.Length, confidence)
            : ScoreInterval.OfMean(differences, confidence);
        return interval.Clamp(-1, 1);
    }

    // Of paired proportions, from the disagreements.
    private static Interval OfProportions(long wins, long losses, long count, double confidence)
    {
        var difference = (wins - losses) / (double)count;
        var spread = wins + losses - ((wins - losses) * (double)(wins - losses) / count);
        var half = -NormalDistribution.Quantile((1 - confidence) / 2) * Math.Sqrt(spread / (count * (count - 1.0)));
        return new Interval(difference - half, difference + half);
    }
}
