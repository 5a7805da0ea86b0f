using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>What the system keeps of files in memory.</summary>
internal static partial class PageCache
{
    private const int DontNeed = 4;

    /// <summary>Lets go of the files below some folders; what a running process has mapped stays.</summary>
    public static void Forget(params string[] folders)
    {
        foreach (var path in folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)))
        {
            using var file = File.OpenHandle(path);
            if (Advise(file, 0, 0, DontNeed) is not 0 and var error)
            {
                throw new IOException($"posix_fadvise on {path} gave {error}.");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
