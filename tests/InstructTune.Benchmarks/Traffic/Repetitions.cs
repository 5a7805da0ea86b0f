namespace InstructTune.Benchmarks.Traffic;

/// <summary>One figure, measured several times.</summary>
internal sealed record Repetitions(IReadOnlyList<double> Values)
{
    /// <summary>A figure that scatters more says nothing.</summary>
    public const double MostScatter = 0.15;

    public double Median { get; } = Rounds.Median(Values);

    public double Greatest { get; } = Values.Max();

    /// <summary>Standard deviation over the median.</summary>
    public double Scatter { get; } = Deviation(Values) / Rounds.Median(Values);

    public bool IsSteady => Scatter <= MostScatter;

    private static double Deviation(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        return values.Count < 2 ? 0 : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
    }
}
