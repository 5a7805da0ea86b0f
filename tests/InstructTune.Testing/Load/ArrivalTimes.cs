namespace InstructTune.Testing.Load;

/// <summary>When requests are sent, whatever becomes of those before them.</summary>
public static class ArrivalTimes
{
    /// <summary>One after the other at the same distance, the first at once.</summary>
    public static IEnumerable<TimeSpan> Even(double perSecond) => Enumerable.Range(0, int.MaxValue).Select(i => TimeSpan.FromSeconds(i / perSecond));

    /// <summary>
    /// Distances drawn from an exponential distribution, then scaled so that the last comes at count / rate: rates of different draws are
    /// the same.
    /// </summary>
    public static IReadOnlyList<TimeSpan> Poisson(int count, double perSecond, Random random)
    {
        var (times, at) = (new double[count], 0.0);
        for (var i = 0; i < count; i++)
        {
            times[i] = at -= Math.Log(1 - random.NextDouble());
        }

        return [.. times.Select(time => TimeSpan.FromSeconds(time / at * count / perSecond))];
    }
}
