using System.CommandLine;
using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Specs;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune dataset split</c>.</summary>
internal static class DatasetSplitCommand
{
    private static readonly Argument<string> Name = new("dataset") { Description = "NAME or NAME@VERSION." };

    private static readonly Option<string[]> Parts = new("--part")
    {
        Description = "A part and its share, such as --part train=0.9 --part test=0.1. The shares sum to 1.",
        HelpName = "PART=SHARE",
        Arity = ArgumentArity.OneOrMore,
        Required = true,
    };

    private static readonly Option<ulong> Seed = new("--seed") { Description = "Fixes which example goes where.", HelpName = "N" };
    private static readonly Option<bool> Stratify = new("--stratify") { Description = "Keep the shares within every task." };

    public static Command Create(CliContext context) => new Command("split", "Divides a version into parts; equal prompts stay together.")
        .With(Name, Parts, Seed, Stratify)
        .WithAction(context, RunAsync);

    private static async Task<int> RunAsync(CommandCall call)
    {
        var request = new SplitDatasetVersionRequest
        {
            Name = Names.DatasetVersion(call.Value(Name)!),
            Seed = call.Value(Seed),
            StratifyByTask = call.Value(Stratify),
        };
        foreach (var (part, share) in Pairs.Parse(call.Value(Parts)!, "--part"))
        {
            request.Fractions[part] = double.TryParse(share, NumberStyles.Float, CultureInfo.InvariantCulture, out var fraction)
                ? fraction
                : throw CliException.Usage($"--part {part}={share}: '{share}' is not a number.");
        }

        using var client = call.Connect();
        var response = await client.Datasets.SplitDatasetVersionAsync(request, cancellationToken: call.Ct);
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, response);
            return ExitCode.Ok;
        }

        var grid = new Grid("part", "version", "examples");
        foreach (var (part, version) in response.Parts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            grid.Add(part, Names.Short(version.Name), Formats.Count(version.ExampleCount));
        }

        grid.WriteTo(call.Terminal);
        return ExitCode.Ok;
    }
}
