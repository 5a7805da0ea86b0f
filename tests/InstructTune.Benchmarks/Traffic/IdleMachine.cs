using System.Diagnostics;
using System.Globalization;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Waits before a cell until nothing else runs, as long as there is time for it, and remembers how busy the machine was.</summary>
internal sealed class IdleMachine(TimeSpan longestInAll)
{
    private const double EnoughIdle = 0.93;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);

    private readonly List<double> _seen = [];
    private TimeSpan _left = longestInAll;

    /// <summary>The share of the processors that was idle when the last cell began.</summary>
    public async Task<double> WaitAsync()
    {
        var watch = Stopwatch.StartNew();
        double idle;
        do
        {
            var before = Line();
            await RunClock.WaitAsync(s_look);
            idle = ProcessFigures.IdleShare(before, Line());
        }
        while (idle < EnoughIdle && watch.Elapsed < s_longest && watch.Elapsed < _left);

        _left -= idle < EnoughIdle || watch.Elapsed > 2 * s_look ? watch.Elapsed : TimeSpan.Zero;
        _seen.Add(idle);
        return idle;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"idle before cells: median {Rounds.Median(_seen):P0}, least {_seen.Min():P0}; {_seen.Count(idle => idle < EnoughIdle)} of {_seen.Count} began on a machine that was less than {EnoughIdle:P0} idle; load average at the end {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");

    private static string Line() => File.ReadLines("/proc/stat").First();
}
