namespace InstructTune.Storage;

/// <summary>A folder that becomes an artifact or goes away.</summary>
public sealed class StagingFolder : IDisposable
{
    internal StagingFolder(string path)
    {
        Path = path;
        Directory.CreateDirectory(path);
    }

    public string Path { get; }

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
