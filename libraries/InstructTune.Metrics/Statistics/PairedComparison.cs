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

    /// <summary>
    /// Compares two ways to train, item by item and seed by seed: element s of both holds the scores of the runs with seed s. The interval
    /// covers seeds and items (<see cref="SeedInterval"/>), and the p value is of the same standard error; wins and losses are of scores
    /// averaged over seeds. With one seed this is the comparison of the two runs.
    /// </summary>
    public static PairedComparison OfSeeds(
        IReadOnlyList<IReadOnlyList<double>> baseline, IReadOnlyList<IReadOnlyList<double>> candidate, ulong seed)
    {
        if (baseline.Count != candidate.Count || baseline.Count == 0)
        {
            throw new ArgumentException("must have as many seeds as the baseline, at least one", nameof(candidate));
        }
        var bySeed = baseline.Zip(candidate, (a, b) => Of(a, b, seed)).ToList();
        var itemCount = baseline[0].Count;
        if (bySeed.Count == 1 || itemCount < 2)
        {
            return bySeed[0];
        }
        var averaged = Of(MeanOverSeeds(baseline), MeanOverSeeds(candidate), seed);
        if (averaged.Wins + averaged.Losses == 0)
        {
            return averaged;
        }
        var itemError = Moments.Of([.. MeanOverSeeds(candidate).Zip(MeanOverSeeds(baseline), (b, a) => b - a)]).StandardError;
        var combined = SeedInterval.Of([.. bySeed.Select(one => one.Difference)], itemError, itemCount);
        return averaged with
        {
            Difference = combined.Difference,
            Interval95 = combined.At(0.95).Clamp(-1, 1),
            Interval90 = combined.At(0.90).Clamp(-1, 1),
            PValue = combined.PValue,
            HasFewDisagreements = false,
        };
    }

    private static double[] MeanOverSeeds(IReadOnlyList<IReadOnlyList<double>> bySeed) =>
        [.. Enumerable.Range(0, bySeed[0].Count).Select(item => bySeed.Sum(scores => scores[item]) / bySeed.Count)];

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
