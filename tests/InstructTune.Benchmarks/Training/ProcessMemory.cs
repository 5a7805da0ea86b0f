namespace InstructTune.Benchmarks.Training;

/// <summary>What the system counts of this process.</summary>
internal static class ProcessMemory
{
    /// <summary>The greatest resident size since <see cref="ForgetPeak"/>.</summary>
    public static long PeakBytes => Read("VmHWM:");

    public static long ResidentBytes => Read("VmRSS:");

    public static void ForgetPeak()
    {
        using var file = new FileStream("/proc/self/clear_refs", FileMode.Open, FileAccess.Write);
        file.Write("5"u8);
    }

    private static long Read(string key)
    {
        var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith(key, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1]) << 10;
    }
}
