using System.Runtime.InteropServices;

namespace InstructTune.Kernels;

/// <summary>The processors that this thread may run on, as Linux numbers them. Elsewhere there are none to choose from.</summary>
internal static unsafe partial class Processors
{
    private const int MostProcessors = 4096;
    private const int MaskBytes = MostProcessors / BitsPerByte;
    private const int BitsPerByte = 8;
    private const int ThisThread = 0;

    /// <summary>In ascending order; empty where the system does not tell.</summary>
    public static int[] Allowed()
    {
        var mask = stackalloc byte[MaskBytes];
        return OperatingSystem.IsLinux() && GetAffinity(ThisThread, MaskBytes, mask) == 0
            ? [.. Numbers(new ReadOnlySpan<byte>(mask, MaskBytes))]
            : [];
    }

    /// <summary>Keeps this thread to one of them. A system that refuses it has cost speed and nothing else.</summary>
    public static bool TryPin(int processor)
    {
        var mask = stackalloc byte[MaskBytes];
        new Span<byte>(mask, MaskBytes).Clear();
        mask[processor / BitsPerByte] = (byte)(1 << (processor % BitsPerByte));
        return OperatingSystem.IsLinux() && SetAffinity(ThisThread, MaskBytes, mask) == 0;
    }

    private static List<int> Numbers(ReadOnlySpan<byte> mask)
    {
        List<int> numbers = [];
        for (var processor = 0; processor < MostProcessors; processor++)
        {
            if ((mask[processor / BitsPerByte] & (1 << (processor % BitsPerByte))) != 0)
            {
                numbers.Add(processor);
            }
        }

        return numbers;
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetAffinity(int thread, nuint maskBytes, byte* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetAffinity(int thread, nuint maskBytes, byte* mask);
}
