using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune dataset import|list|show|split</c>.</summary>
internal static class DatasetCommands
{
    public static Command Create(CliContext context) => new Command("dataset", "Instruction data: import, list, show, split.").With(
        DatasetImportCommand.Create(context),
        List(context),
        Show(context),
        DatasetSplitCommand.Create(context));

    private static Command List(CliContext context) =>
        new Command("list", "Lists the datasets, newest first.").WithAction(context, async call =>
        {
            using var client = call.Connect();
            var datasets = await Pages.AllAsync(
                token => client.Datasets.ListDatasetsAsync(new() { PageToken = token }, cancellationToken: call.Ct).ResponseAsync,
                page => page.Datasets,
                page => page.NextPageToken);
            if (call.IsJson)
            {
                JsonText.Write(call.Terminal, new ListDatasetsResponse { Datasets = { datasets } });
                return ExitCode.Ok;
            }

            var grid = new Grid("dataset", "newest version", "examples", "created");
            foreach (var dataset in datasets)
            {
                var latest = await LatestAsync(client, dataset.Name, call.Ct);
                grid.Add(
                    Names.Short(dataset.Name),
                    latest is null ? "-" : Names.Short(latest.Name),
                    latest is null ? "-" : Formats.Count(latest.ExampleCount),
                    Formats.Time(dataset.CreateTime));
            }

            grid.WriteTo(call.Terminal);
            return ExitCode.Ok;
        });

    private static Command Show(CliContext context)
    {
        var name = new Argument<string>("dataset") { Description = "NAME or NAME@VERSION." };
        var count = new Option<int>("--examples") { Description = "How many examples to print.", DefaultValueFactory = _ => 3 };
        return new Command("show", "Shows a dataset version and its first examples.").With(name, count).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var version = await client.Datasets.GetDatasetVersionAsync(
                new() { Name = Names.DatasetVersion(call.Value(name)!) }, cancellationToken: call.Ct);
            if (call.IsJson)
            {
                JsonText.Write(call.Terminal, version);
                return ExitCode.Ok;
            }

            DatasetText.Write(call.Terminal, version);
            if (call.Value(count) > 0)
            {
                await WriteExamplesAsync(client, version.Name, call.Value(count), call);
            }

            return ExitCode.Ok;
        });
    }

    private static async Task WriteExamplesAsync(InstructTuneClient client, string version, int count, CommandCall call)
    {
        var request = new StreamExamplesRequest { Name = version, ExampleCount = count };
        using var stream = client.Datasets.StreamExamples(request, cancellationToken: call.Ct);
        while (await stream.ResponseStream.MoveNext(call.Ct))
        {
            DatasetText.Write(call.Terminal, stream.ResponseStream.Current);
        }
    }

    private static async Task<DatasetVersion?> LatestAsync(InstructTuneClient client, string dataset, CancellationToken ct)
    {
        try
        {
            return await client.Datasets.GetDatasetVersionAsync(new() { Name = $"{dataset}/versions/latest" }, cancellationToken: ct);
        }
        catch (InstructTuneException e) when (e.Reason == "RESOURCE_NOT_FOUND")
        {
            return null;
        }
    }
}
