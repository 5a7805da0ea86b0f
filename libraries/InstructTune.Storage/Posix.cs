using System.Runtime.InteropServices;

namespace InstructTune.Storage;

/// <summary>The three calls a durable rename needs and the base library does not offer.</summary>
internal static partial class Posix
{
    private const int ReadOnly = 0;
    private const int FileExists = 17;

    /// <summary>Makes renames and new names inside a folder durable.</summary>
    public static void SyncFolder(string folder)
    {
        var descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            throw Failure("open", folder);
        }

        try
        {
            if (Sync(descriptor) != 0)
            {
                throw Failure("fsync", folder);
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>Gives a file a second name; false where that name is taken.</summary>
    public static bool TryLink(string existing, string name)
    {
        if (Link(existing, name) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == FileExists ? false : throw Failure("link", name);
    }

    private static IOException Failure(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} of {path} failed: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);
}
