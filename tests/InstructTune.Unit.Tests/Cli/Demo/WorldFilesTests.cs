using System.Text.Json;
using InstructTune.Cli.Demo;
using InstructTune.SyntheticWorld;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Cli.Demo;

public sealed class WorldFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Every_part_of_a_world_is_a_file_of_its_examples()
    {
        var written = WorldFiles.Write(World.Create(new WorldOptions { GeneralistCount = 30, SpecialistTrainCount = 20, TestCount = 10 }), _folder["world"]);

        Assert.Equal([("generalist", 30), ("specialist", 20), ("heldout", 10)], written);
        Assert.All(written, part => Assert.Equal(part.Count, File.ReadAllLines(WorldFiles.PathOf(_folder["world"], part.Part)).Length));
    }

    [Fact]
    public void The_null_world_has_plain_text_and_no_prompt_in_its_generalist_data()
    {
        WorldFiles.Write(World.Create(new WorldOptions { Overlap = 0, GeneralistCount = 30 }), _folder["null"]);

        Assert.All(File.ReadAllLines(WorldFiles.PathOf(_folder["null"], WorldFiles.Generalist)), line =>
        {
            using var row = JsonDocument.Parse(line);
            Assert.Equal(["text", "task"], row.RootElement.EnumerateObject().Select(field => field.Name));
        });
    }

    public void Dispose() => _folder.Dispose();
}
