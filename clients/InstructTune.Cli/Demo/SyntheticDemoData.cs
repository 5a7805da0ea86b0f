using System.Text.Json;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Commands;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.SyntheticWorld;
using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>The synthetic world: data made from the seed, and the base model that ships with InstructTune.</summary>
internal sealed class SyntheticDemoData(WorldOptions options, DemoPlan plan, string baseFolder, string scratchFolder) : IDemoData
{
    public string BaseFolder => baseFolder;

    public void Check()
    {
        if (!File.Exists(Path.Combine(baseFolder, "config.json")))
        {
            throw new CliException(
                $"The base model of the demonstration is not at {baseFolder}: run './instructtune demo' from the repository, or set {DemoBase.Variable} to its models folder.");
        }
    }

    public DemoPlan Plan(long parameterCount) => plan;

    public async Task<DemoDatasets> ImportAsync(InstructTuneClient client, Terminal terminal, CancellationToken ct)
    {
        var world = World.Create(options);
        var generalist = await ImportAsync(client, terminal, "generalist", world.Generalist, ct);
        var train = await ImportAsync(client, terminal, "specialist", world.SpecialistTrain, ct);
        var test = await ImportAsync(client, terminal, "heldout", world.Test, ct);
        return new DemoDatasets(
            generalist.Name,
            train.Name,
            test.Name,
            $"a synthetic world with seed {options.Seed} and overlap {options.Overlap:0.##}:"
            + $" {Formats.Count(generalist.ExampleCount)} generalist, {Formats.Count(train.ExampleCount)} specialist,"
            + $" {Formats.Count(test.ExampleCount)} held-out examples");
    }

    private async Task<DatasetVersion> ImportAsync(
        InstructTuneClient client, Terminal terminal, string name, IReadOnlyList<WorldRow> rows, CancellationToken ct)
    {
        var path = Path.Combine(scratchFolder, name + ".jsonl");
        await using (var writer = new StreamWriter(path))
        {
            foreach (var row in rows)
            {
                await writer.WriteLineAsync(ToJsonLine(row).AsMemory(), ct);
            }
        }

        return await Imports.DatasetAsync(
            client, terminal, "datasets/" + name, [path], new SourceOptions { Format = SourceFormat.JsonLines }, ct);
    }

    internal static string ToJsonLine(WorldRow row) => JsonSerializer.Serialize(
        new { instruction = row.Instruction, input = row.Input, output = row.Output, choices = row.Choices, task = row.Task });
}
