using System.Diagnostics;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Seconds since the start of the run: one clock for all that is measured.</summary>
internal static class RunClock
{
    private static readonly long s_began = Stopwatch.GetTimestamp();

    public static double Now => Stopwatch.GetElapsedTime(s_began).TotalSeconds;

    public static Task WaitAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);
}
