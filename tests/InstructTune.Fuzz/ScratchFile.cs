namespace InstructTune.Fuzz;

/// <summary>A file that holds one input at a time, for parsers that open paths. In memory where the system has such a folder.</summary>
internal sealed class ScratchFile
{
    private readonly string _folder;

    public ScratchFile(string name)
    {
        var root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        _folder = Path.Combine(root, $"instructtune-fuzz-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(_folder);
        Location = Path.Combine(_folder, name);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(_folder, recursive: true);
    }

    public string Location { get; }

    public string Put(ReadOnlySpan<byte> content)
    {
        using var handle = File.OpenHandle(Location, FileMode.Create, FileAccess.Write);
        RandomAccess.Write(handle, content, 0);
        return Location;
    }
}
