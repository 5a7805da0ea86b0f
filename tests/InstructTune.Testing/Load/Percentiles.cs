namespace InstructTune.Testing.Load;

/// <summary>Percentiles of what was measured, by rank: always a value that occurred.</summary>
public static class Percentiles
{
    /// <summary>Zero where nothing was measured.</summary>
    public static TimeSpan Of(IEnumerable<TimeSpan> times, double share) => TimeSpan.FromTicks(AtRank(times.Select(time => time.Ticks), share, 0));

    /// <summary>NaN where nothing was measured.</summary>
    public static double Of(IEnumerable<double> values, double share) => AtRank(values, share, double.NaN);

    private static T AtRank<T>(IEnumerable<T> values, double share, T none)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? none : sorted[(int)Math.Min(sorted.Length - 1, share * sorted.Length)];
    }
}
