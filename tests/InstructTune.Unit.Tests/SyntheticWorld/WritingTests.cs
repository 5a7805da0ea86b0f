using InstructTune.Dataset.Examples;
using InstructTune.Dataset.Import;
using InstructTune.SyntheticWorld;
using InstructTune.SyntheticWorld.Writing;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.SyntheticWorld;

/// <summary>What is written here is what the dataset service reads.</summary>
public sealed class WritingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly World _world = World.Create(new WorldOptions { GeneralistCount = 100, SpecialistTrainCount = 10, TestCount = 10 });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Json_lines_come_back_as_the_rows_with_their_choices()
    {
        var examples = Import(Write("rows.jsonl", stream => JsonLinesFile.Write(stream, _world.Generalist)));

        Assert.Equal(
            _world.Generalist.Select(r => (r.Instruction, r.Input, r.Output, r.Task, string.Join('|', r.Choices))),
            examples.Select(e => (((InstructionPrompt)e.Prompt).Instruction, ((InstructionPrompt)e.Prompt).Input, e.Output, e.Task, string.Join('|', e.Choices))));
    }

    [Fact]
    public void Task_files_come_back_as_the_same_rows_under_the_names_of_their_files()
    {
        var files = TaskFiles.Group(_world.Generalist).Select(f => Write(f.FileName, stream => TaskFiles.Write(stream, f.Rows))).ToArray();

        var examples = Import(files);

        Assert.Equal(
            _world.Generalist.Select(r => (r.Instruction, r.Input, r.Output)).Order(),
            examples.Select(e => (((InstructionPrompt)e.Prompt).Instruction, ((InstructionPrompt)e.Prompt).Input, e.Output)).Order());
        Assert.Equal(
            _world.Generalist.Select(r => r.Task).Order(StringComparer.Ordinal),
            examples.Select(e => e.Task[..e.Task.LastIndexOf('_')]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Documents_come_back_as_they_were()
    {
        var documents = World.BaseDocuments(50).ToList();

        var examples = Import(Write("base.txt", stream => TextFile.Write(stream, documents)));

        Assert.Equal(documents, examples.Select(e => ((TextPrompt)e.Prompt).Text));
    }

    private SourceFile Write(string name, Action<Stream> write)
    {
        using (var stream = File.Create(_folder[name]))
        {
            write(stream);
        }

        return new SourceFile(name, _folder[name]);
    }

    private static List<Example> Import(params SourceFile[] files)
    {
        var examples = new List<Example>();
        new Importer(new SourceOptions()).Import(files, examples.Add, CancellationToken.None);
        return examples;
    }
}
