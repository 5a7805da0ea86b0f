using InstructTune.Dataset.Examples;
using InstructTune.Dataset.Import;
using InstructTune.Testing;
using InstructTune.Unit.Tests.Dataset.Import;

namespace InstructTune.Unit.Tests.Dataset.Parity;

/// <summary>Real files as their publishers made them, where the folder with them is present.</summary>
public sealed class PublicDataTests
{
    [Fact]
    public void Lima_is_read_whole_and_its_dialogues_become_conversations()
    {
        var (examples, report) = SourceFolder.Import(new SourceOptions(), Data("generalist/lima.json"));

        Assert.Equal((SourceFormat.AlpacaJson, 1029), (report.DetectedFormat, report.AcceptedCount));
        Assert.Equal(29, examples.Count(e => e.Prompt is ConversationPrompt { Turns.Count: >= 4 }));
        Assert.Equal(1000, examples.Count(e => e.Prompt is InstructionPrompt));
    }

    [Fact]
    public void Alpaca_gpt4_is_read_whole()
    {
        var (_, report) = SourceFolder.Import(new SourceOptions(), Data("generalist/alpaca_gpt4_demo_999.json"));

        Assert.Equal((SourceFormat.AlpacaJson, 999, 0), (report.DetectedFormat, report.AcceptedCount, report.RejectedCount));
    }

    [Fact]
    public void The_test_tasks_of_natural_instructions_are_read_whole_with_their_names()
    {
        var folder = Data("superni/test").Path;
        SourceFile[] files = [.. Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(f => new SourceFile(Path.GetFileName(f), f))];

        var (examples, report) = SourceFolder.Import(new SourceOptions { MaxRejected = 100 }, files);

        Assert.Equal((SourceFormat.NaturalInstructions, 10_210), (report.DetectedFormat, report.AcceptedCount + report.RejectedCount));
        Assert.Equal(files.Select(f => Path.GetFileNameWithoutExtension(f.Name)), examples.Select(e => e.Task).Distinct());
        Assert.All(examples, e => Assert.Equal(e.Output, e.References[0]));
    }

    private static SourceFile Data(string relativePath)
    {
        var path = FixtureFolder.RequireBeside(Path.Combine("data", relativePath));
        return new SourceFile(Path.GetFileName(path), path);
    }
}
