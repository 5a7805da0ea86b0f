using System.Diagnostics;

namespace InstructTune.Benchmarks;

/// <summary>Times of several ways to do one thing, taken in turns so that what else runs on the machine meets all of them.</summary>
internal static class Rounds
{
    /// <summary>Seconds of each way and round; the first round, which pays for compilation and caches, is left out.</summary>
    public static double[][] Measure(int rounds, params Action[] ways)
    {
        var seconds = ways.Select(_ => new double[rounds]).ToArray();
        for (var round = -1; round < rounds; round++)
        {
            // A B, B A, A B, ...
            foreach (var way in round % 2 == 0 ? Enumerable.Range(0, ways.Length) : Enumerable.Range(0, ways.Length).Reverse())
            {
                var taken = Time(ways[way]);
                if (round >= 0)
                {
                    seconds[way][round] = taken;
                }
            }
        }

        return seconds;
    }

    /// <summary>Seconds of one call.</summary>
    public static double Time(Action way)
    {
        var started = Stopwatch.GetTimestamp();
        way();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Bytes of managed memory that one call costs on this thread, on average.</summary>
    public static double AllocatedPerCall(int calls, Action<int> call)
    {
        for (var i = 0; i < calls; i++)
        {
            call(i);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < calls; i++)
        {
            call(i);
        }

        return (double)(GC.GetAllocatedBytesForCurrentThread() - before) / calls;
    }
}
