namespace InstructTune.Testing;

/// <summary>A folder that is gone after the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("instructtune-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file of text, for a test to read.</summary>
    public void WriteText(string name, string text)
    {
        using var writer = new StreamWriter(System.IO.Path.Combine(Path, name));
        writer.Write(text);
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A process that was killed may still hold a file; the system's temporary folder is emptied anyway.
        }
    }
}
