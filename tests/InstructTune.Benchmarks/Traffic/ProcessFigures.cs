using System.Globalization;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>What the system counts, out of the text it tells it in.</summary>
internal static class ProcessFigures
{
    /// <summary>USER_HZ, which is 100 wherever .NET runs on Linux.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>Idle and waiting for the disk count as idle.</summary>
    private static readonly int[] s_idleFields = [3, 4];

    public static double CpuSeconds(int processId) => CpuSeconds(File.ReadAllText($"/proc/{processId}/stat"));

    /// <summary>Of a line of /proc/PID/stat: user and system time. The name may hold spaces and parentheses.</summary>
    public static double CpuSeconds(string stat)
    {
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
    }

    /// <summary>Share of all processors' time between two first lines of /proc/stat that nobody used; 1 where no time passed.</summary>
    public static double IdleShare(string before, string after)
    {
        double[] from = Times(before), to = Times(after), passed = [.. to.Zip(from, (later, earlier) => later - earlier)];
        var all = passed.Sum();
        return all <= 0 ? 1 : s_idleFields.Sum(field => passed[field]) / all;
    }

    /// <summary>User, nice, system, idle, iowait, irq, softirq, steal; what guests take is in user already.</summary>
    private static double[] Times(string line) => [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(Number)];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
