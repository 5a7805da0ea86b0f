using System.Globalization;

namespace InstructTune.LoadFigures;

/// <summary>The most memory that this process ever had resident, mapped files included.</summary>
internal static class PeakMemory
{
    public static long Bytes()
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
