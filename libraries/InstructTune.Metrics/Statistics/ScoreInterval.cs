namespace InstructTune.Metrics.Statistics;

/// <summary>Intervals around one score.</summary>
public static class ScoreInterval
{
    /// <summary>Wilson's interval of a proportion, within [0, 1].</summary>
    public static Interval Wilson(long successes, long count, double confidence = 0.95)
    {
        if (count < 1 || successes < 0 || successes > count)
        {
            throw new ArgumentOutOfRangeException(nameof(successes), successes, "must lie between 0 and a positive count");
        }
        var z = -NormalDistribution.Quantile((1 - confidence) / 2);
        var share = successes / (double)count;
        var scale = 1 + (z * z / count);
        var centre = (share + (z * z / (2.0 * count))) / scale;
        var half = z / scale * Math.Sqrt((share * (1 - share) / count) + (z * z / (4.0 * count * count)));
        // At the ends the exact border is 0 or 1; arithmetic misses it by a rounding.
        return new Interval(successes == 0 ? 0 : centre - half, successes == count ? 1 : centre + half).Clamp(0, 1);
    }

    /// <summary>Student's interval of a mean, from the standard error over the values; without bounds for a single value.</summary>
    public static Interval OfMean(IReadOnlyList<double> values, double confidence = 0.95)
    {
        var moments = Moments.Of(values);
        if (values.Count == 1)
        {
            return new Interval(double.NegativeInfinity, double.PositiveInfinity);
        }
        var half = -StudentDistribution.Quantile((1 - confidence) / 2, values.Count - 1) * moments.StandardError;
        return new Interval(moments.Mean - half, moments.Mean + half);
    }

    /// <summary>
    /// The interval of a mean of scores in [0, 1]: Wilson's where every score is 0 or 1, else Student's, cut to [0, 1].
    /// </summary>
    public static Interval OfScores(IReadOnlyList<double> scores, double confidence = 0.95) =>
        scores.All(score => score is 0 or 1)
            ? Wilson(scores.Count(score => score == 1), scores.Count, confidence)
            : OfMean(scores, confidence).Clamp(0, 1);
}
