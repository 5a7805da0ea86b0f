using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Commands;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>
/// Real instructions from a folder: LIMA or Alpaca-GPT4 for the generalist, the sentiment tasks of Super-NaturalInstructions for the
/// specialist, divided into training and test.
/// </summary>
internal sealed class RealDemoData(string folder, string baseFolder, ulong seed) : IDemoData
{
    private static readonly string[] GeneralistFiles = ["lima.json", "alpaca_gpt4_demo_999.json"];
    private const long MaxExamplesPerTask = 40;
    private const double TestShare = 0.3;

    public string BaseFolder => baseFolder;

    private string SentimentFolder => Path.Combine(folder, "superni", "sentiment");

    public void Check()
    {
        if (FindGeneralist() is null)
        {
            throw new CliException(
                $"{folder} holds no generalist data: expected {string.Join(" or ", GeneralistFiles.Select(file => "generalist/" + file))} in it.");
        }

        if (!Directory.Exists(SentimentFolder) || !Directory.EnumerateFiles(SentimentFolder, "*.json").Any())
        {
            throw new CliException($"{folder} holds no specialist data: expected task files in superni/sentiment/*.json in it.");
        }
    }

    public DemoPlan Plan(long parameterCount) => DemoPlan.Real(parameterCount);

    public async Task<DemoDatasets> ImportAsync(InstructTuneClient client, Terminal terminal, CancellationToken ct)
    {
        var generalistFile = FindGeneralist()!;
        var generalist = await Imports.DatasetAsync(
            client, terminal, "datasets/generalist", [generalistFile], new SourceOptions { Format = SourceFormat.AlpacaJson }, ct);
        var options = new SourceOptions { Format = SourceFormat.NaturalInstructions, MaxExamplesPerTask = MaxExamplesPerTask };
        var sentiment = await Imports.DatasetAsync(client, terminal, "datasets/sentiment", [SentimentFolder], options, ct);
        var parts = await client.Datasets.SplitDatasetVersionAsync(
            new()
            {
                Name = sentiment.Name,
                Fractions = { ["train"] = 1 - TestShare, ["test"] = TestShare },
                Seed = seed,
                StratifyByTask = true,
            },
            cancellationToken: ct);
        return new DemoDatasets(
            generalist.Name,
            parts.Parts["train"].Name,
            parts.Parts["test"].Name,
            $"{Path.GetFileName(generalistFile)} ({Formats.Count(generalist.ExampleCount)} examples) for the generalist;"
            + $" {sentiment.ExampleCountByTask.Count} sentiment tasks of Super-NaturalInstructions for the specialist"
            + $" ({Formats.Count(parts.Parts["train"].ExampleCount)} to train, {Formats.Count(parts.Parts["test"].ExampleCount)} held out)");
    }

    private string? FindGeneralist() => GeneralistFiles.Select(file => Path.Combine(folder, "generalist", file)).FirstOrDefault(File.Exists);
}
