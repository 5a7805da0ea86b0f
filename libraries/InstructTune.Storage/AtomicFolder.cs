namespace InstructTune.Storage;

/// <summary>Folders that are seen whole or not at all, also after a crash.</summary>
public static class AtomicFolder
{
    /// <summary>Flushes every file and folder below <paramref name="temporary"/> to the disk, then renames it; both lie in one parent.</summary>
    /// <param name="temporary">What is published.</param>
    /// <param name="path">The name it gets.</param>
    /// <param name="what">Names the <see cref="FailPoint"/>s of this write.</param>
    public static void Publish(string temporary, string path, string what = "folder")
    {
        try
        {
            FailPoint.Hit(what, "before-fsync");
            foreach (var file in Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories))
            {
                AtomicFile.Sync(file);
            }

            foreach (var folder in Directory.EnumerateDirectories(temporary, "*", SearchOption.AllDirectories))
            {
                Posix.SyncFolder(folder);
            }

            Posix.SyncFolder(temporary);
            FailPoint.Hit(what, "after-fsync");
            FailPoint.Hit(what, "before-rename");
            Directory.Move(temporary, path);
            FailPoint.Hit(what, "after-rename");
            Posix.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (IOException exception) when (StorageFullException.Is(exception) && exception is not StorageFullException)
        {
            throw StorageFullException.Of(path, exception);
        }
    }
}
