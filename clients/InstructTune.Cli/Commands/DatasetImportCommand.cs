using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Specs;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune dataset import</c>.</summary>
internal static class DatasetImportCommand
{
    private static readonly Argument<string[]> Paths = new("path")
    {
        Description = "Files, or folders of .json, .jsonl and .txt files, all of one format.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> Name = new("--name")
    {
        Description = "Dataset that receives the version; created if absent. Default: from the name of the first file.",
        HelpName = "DATASET",
    };

    private static readonly Option<string> Format = new Option<string>("--format")
    {
        Description = "Layout of the files; default: detected.",
        DefaultValueFactory = _ => "detect",
    }.AcceptOnlyFromAmong("detect", "alpaca", "jsonl", "natural-instructions", "text");

    private static readonly Option<string?> Task = new("--task") { Description = "Written to examples that name no task of their own." };

    private static readonly Option<string[]> Columns = new("--column")
    {
        Description = "Which key of the file holds a field, such as --column output=answer. For jsonl; may be repeated.",
        HelpName = "FIELD=KEY",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<long> MaxRejected = new("--max-rejected")
    {
        Description = "How many malformed records to skip before the import fails (default 0).",
        HelpName = "N",
    };

    private static readonly Option<long> MaxPerTask = new("--max-examples-per-task")
    {
        Description = "Keep the first N of each task (default: all).",
        HelpName = "N",
    };

    public static Command Create(CliContext context) => new Command("import", "Uploads files into a new version of a dataset.")
        .With(Paths, Name, Format, Task, Columns, MaxRejected, MaxPerTask)
        .WithAction(context, RunAsync);

    private static async Task<int> RunAsync(CommandCall call)
    {
        using var client = call.Connect();
        var paths = call.Value(Paths)!;
        var dataset = Names.Dataset(call.Value(Name) ?? Names.IdFrom(paths[0]));
        var version = await Imports.DatasetAsync(client, call.Terminal, dataset, paths, Options(call), call.Ct);
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, version);
        }
        else
        {
            DatasetText.Write(call.Terminal, version);
        }

        return ExitCode.Ok;
    }

    private static SourceOptions Options(CommandCall call)
    {
        var options = new SourceOptions
        {
            Format = call.Value(Format) switch
            {
                "alpaca" => SourceFormat.AlpacaJson,
                "jsonl" => SourceFormat.JsonLines,
                "natural-instructions" => SourceFormat.NaturalInstructions,
                "text" => SourceFormat.PlainText,
                _ => SourceFormat.Unspecified,
            },
            Task = call.Value(Task) ?? "",
            MaxRejected = call.Value(MaxRejected),
            MaxExamplesPerTask = call.Value(MaxPerTask),
        };
        foreach (var (field, key) in Pairs.Parse(call.Value(Columns) ?? [], "--column"))
        {
            options.Columns[field] = key;
        }

        return options;
    }
}
