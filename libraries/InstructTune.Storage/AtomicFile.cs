namespace InstructTune.Storage;

/// <summary>
/// Files that are seen whole or not at all, also after a crash: written beside, flushed to the disk, given their name,
/// and the name flushed too.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes or replaces a file. The folder is made where it is missing.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = WriteBeside(path, content);
        try
        {
            File.Move(temporary, path, overwrite: true);
            Posix.SyncFolder(FolderOf(path));
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes a file that does not exist yet; false, and nothing changed, where it does.</summary>
    public static bool TryCreate(string path, ReadOnlySpan<byte> content)
    {
        if (File.Exists(path))
        {
            return false;
        }

        var temporary = WriteBeside(path, content);
        try
        {
            // A link, not a rename: of two writers at once exactly one gets the name.
            var isOurs = Posix.TryLink(temporary, path);
            if (isOurs)
            {
                Posix.SyncFolder(FolderOf(path));
            }

            return isOurs;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Flushes what was written to a file through another handle.</summary>
    internal static void Sync(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    private static string WriteBeside(string path, ReadOnlySpan<byte> content)
    {
        var folder = FolderOf(path);
        CreateFolder(folder);
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using var handle = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write);
            FailPoint.Hit("file.before-write");
            RandomAccess.Write(handle, content, 0);
            RandomAccess.FlushToDisk(handle);
            return temporary;
        }
        catch (IOException exception)
        {
            File.Delete(temporary);
            throw StorageFullException.Is(exception) ? StorageFullException.Of(path, exception) : exception;
        }
    }

    private static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        var parent = FolderOf(folder);
        CreateFolder(parent);
        Directory.CreateDirectory(folder);
        Posix.SyncFolder(parent);
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;
}
