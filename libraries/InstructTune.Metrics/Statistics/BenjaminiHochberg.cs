namespace InstructTune.Metrics.Statistics;

/// <summary>Adjusts p values of many comparisons so that the expected share of false discoveries is bounded.</summary>
public static class BenjaminiHochberg
{
    /// <summary>Adjusted p values, in the order given: reject those at most q.</summary>
    public static double[] Adjust(IReadOnlyList<double> pValues)
    {
        var ascending = Enumerable.Range(0, pValues.Count).OrderBy(index => pValues[index]).ToArray();
        var adjusted = new double[pValues.Count];
        var least = 1.0;
        for (var rank = ascending.Length; rank >= 1; rank--)
        {
            var index = ascending[rank - 1];
            least = Math.Min(least, pValues[index] * ascending.Length / rank);
            adjusted[index] = least;
        }
        return adjusted;
    }
}
