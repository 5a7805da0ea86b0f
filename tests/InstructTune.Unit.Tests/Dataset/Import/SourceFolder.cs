using System.Text;
using InstructTune.Dataset.Examples;
using InstructTune.Dataset.Import;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Dataset.Import;

/// <summary>A folder of source files that lives as long as the test.</summary>
internal sealed class SourceFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SourceFile Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public SourceFile Write(string name, byte[] bytes)
    {
        var path = _folder[name];
        using var stream = File.Create(path);
        stream.Write(bytes);
        return new SourceFile(name, path);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>What an import of the files accepts, in order, and its report.</summary>
    public static (List<Example> Examples, ImportReport Report) Import(SourceOptions options, params SourceFile[] files)
    {
        var examples = new List<Example>();
        var report = new Importer(options).Import(files, examples.Add, CancellationToken.None);
        return (examples, report);
    }

    public static SourceInvalidException Refused(SourceOptions options, params SourceFile[] files) =>
        Assert.Throws<SourceInvalidException>(() => Import(options, files));
}
