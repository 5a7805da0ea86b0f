namespace InstructTune.Cli.Output;

/// <summary>Files that appear under their name once they are whole.</summary>
internal static class WholeFile
{
    public static void Write(string path, string text) => Write(path, output =>
    {
        using var writer = new StreamWriter(output, leaveOpen: true);
        writer.Write(text);
    });

    public static void Write(string path, Action<Stream> write)
    {
        var partial = path + ".partial";
        using (var output = File.Create(partial))
        {
            write(output);
        }

        File.Move(partial, path, overwrite: true);
    }
}
