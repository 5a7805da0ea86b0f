using System.Runtime.InteropServices;

namespace InstructTune.Modeling.Training;

/// <summary>
/// The C library's allocator under libtorch. By default it returns every large block to the system when it is freed, and each step of training then
/// pays for the same pages again.
/// </summary>
public static partial class NativeHeap
{
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MapThreshold = -3;
    private const int ArenaMax = -8;

    // The greatest the allocator takes: larger blocks always go back at once.
    private const int LargestKeptBytes = 32 << 20;

    private const int ReserveBytes = 64 << 20;

    /// <summary>Keeps freed blocks for the next step. For the whole process; to be called before much is allocated.</summary>
    public static void KeepFreedBlocks()
    {
        // A thread's own arena is cut into heaps of 64 MiB, which are given back one by one; the first arena is not.
        _ = SetOption(ArenaMax, 1);
        _ = SetOption(MapThreshold, LargestKeptBytes);
        _ = SetOption(TrimThreshold, int.MaxValue);
        _ = SetOption(TopPad, ReserveBytes);
    }

    /// <summary>Gives what is free back to the system, when a job has ended.</summary>
    public static void Release() => _ = Trim(0);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint padBytes);
}
