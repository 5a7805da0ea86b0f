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
        // A row without an instruction stays plain text: a null world in prompts would teach the layout of prompts.
        WorldFiles.Write(World.Create(options), scratchFolder);
        var generalist = await ImportAsync(client, terminal, WorldFiles.Generalist, ct);
        var train = await ImportAsync(client, terminal, WorldFiles.Specialist, ct);
        var test = await ImportAsync(client, terminal, WorldFiles.HeldOut, ct);
        return new DemoDatasets(
            generalist.Name,
            train.Name,
            test.Name,
            FormattableString.Invariant($"a synthetic world with seed {options.Seed} and overlap {options.Overlap:0.##}:")
            + $" {Formats.Count(generalist.ExampleCount)} generalist, {Formats.Count(train.ExampleCount)} specialist,"
            + $" {Formats.Count(test.ExampleCount)} held-out examples");
    }

    private async Task<DatasetVersion> ImportAsync(InstructTuneClient client, Terminal terminal, string part, CancellationToken ct) =>
        await Imports.DatasetAsync(
            client, terminal, "datasets/" + part, [WorldFiles.PathOf(scratchFolder, part)], new SourceOptions { Format = SourceFormat.JsonLines }, ct);
}
