namespace InstructTune.Metrics.Statistics;

/// <summary>Mean and standard error of values, summed in order.</summary>
/// <param name="Mean">The arithmetic mean.</param>
/// <param name="StandardError">Sample standard deviation (n-1) over the root of n; 0 for one value.</param>
public readonly record struct Moments(double Mean, double StandardError)
{
    /// <summary>The moments of at least one value.</summary>
    public static Moments Of(IReadOnlyList<double> values)
    {
        if (values.Count == 0)
        {
            throw new ArgumentException("must hold at least one value", nameof(values));
        }
        var mean = values.Sum() / values.Count;
        var squares = values.Sum(value => (value - mean) * (value - mean));
        return new Moments(mean, values.Count == 1 ? 0 : Math.Sqrt(squares / (values.Count - 1) / values.Count));
    }
}
