namespace InstructTune.Metrics.Statistics;

/// <summary>
/// What trainings with several seeds say of a difference between two ways to train. Items and seeds are crossed: the same items are
/// asked under every seed. The variance of the mean difference is the items' (of differences averaged over seeds) plus the
/// seeds' (sample variance of the seeds' differences over their number); the degrees of freedom are Satterthwaite's.
/// </summary>
/// <param name="Difference">Mean over seeds.</param>
/// <param name="StandardError">Root of the summed variances.</param>
/// <param name="DegreesOfFreedom">Satterthwaite's; 0 when the standard error is 0.</param>
public readonly record struct SeedInterval(double Difference, double StandardError, double DegreesOfFreedom)
{
    /// <summary>Two-sided p value of no difference, by Student's t.</summary>
    public double PValue => StandardError == 0
        ? (Difference == 0 ? 1 : 0)
        : Math.Min(1, 2 * StudentDistribution.UpperTail(Math.Abs(Difference) / StandardError, DegreesOfFreedom));

    /// <summary>Combines the two sources of variance.</summary>
    /// <param name="seedDifferences">Candidate minus baseline for each seed; at least two.</param>
    /// <param name="itemStandardError">Standard error over items of the differences averaged over seeds.</param>
    /// <param name="itemCount">Items, or clusters of them; at least two.</param>
    public static SeedInterval Of(IReadOnlyList<double> seedDifferences, double itemStandardError, long itemCount)
    {
        if (seedDifferences.Count < 2)
        {
            throw new ArgumentException("must hold at least two seeds", nameof(seedDifferences));
        }
        if (itemCount < 2)
        {
            throw new ArgumentOutOfRangeException(nameof(itemCount), itemCount, "must be at least two");
        }
        var (mean, seedError) = Moments.Of(seedDifferences);
        var (items, seeds) = (itemStandardError * itemStandardError, seedError * seedError);
        var variance = items + seeds;
        var freedom = variance == 0
            ? 0
            : variance * variance / ((items * items / (itemCount - 1)) + (seeds * seeds / (seedDifferences.Count - 1)));
        return new SeedInterval(mean, Math.Sqrt(variance), freedom);
    }

    /// <summary>The interval of a confidence such as 0.95.</summary>
    public Interval At(double confidence)
    {
        if (StandardError == 0)
        {
            return new Interval(Difference, Difference);
        }
        var half = StudentDistribution.Quantile(1 - ((1 - confidence) / 2), DegreesOfFreedom) * StandardError;
        return new Interval(Difference - half, Difference + half);
    }
}
