using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Specs;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune eval run</c>: data, metrics and models on one line; suites are made as needed.</summary>
internal static class EvaluationRunCommand
{
    private static readonly Option<string?> Data = new("--data")
    {
        Description = "A dataset (NAME, NAME@VERSION) or a file, which is imported first.",
        HelpName = "DATASET",
    };

    private static readonly Option<string?> Suite = new("--suite") { Description = "An existing suite, in place of --data and --metric.", HelpName = "SUITE" };

    private static readonly Option<string[]> Metrics = new("--metric")
    {
        Description = "rougeL, em, f1; acc or acc_norm where examples have choices. May be repeated.",
        HelpName = "METRIC",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string[]> Models = new("--model", "-m")
    {
        Description = "A model; with several, all are compared with the first.",
        HelpName = "MODEL",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<long> MaxExamples = new("--max-examples") { Description = "A drawn subset of this many examples (default: all).", HelpName = "N" };
    private static readonly Option<int> MaxTokens = new("--max-tokens") { Description = "Longest answer (server's default: 128).", HelpName = "N" };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "Fixes the subset.", HelpName = "N" };

    public static Command Create(CliContext context) => new Command("run", "Scores models on data, and compares them when there are several.")
        .With(Data, Metrics, Models, Suite, MaxExamples, MaxTokens, Seed)
        .WithAction(context, RunAsync);

    private static async Task<int> RunAsync(CommandCall call)
    {
        Check(call);
        using var client = call.Connect();
        var suite = call.Value(Suite) is { } name ? Names.Suite(name) : await CreateSuiteAsync(call, client);
        var runs = new List<EvaluationRun>();
        foreach (var model in call.Value(Models)!)
        {
            var run = await EvaluationRunner.RunAsync(
                client,
                call.Terminal,
                new EvaluationRun { Suite = suite, ModelVersion = Names.ModelVersion(model), Seed = call.Value(Seed) },
                call.Context.Interrupts);
            runs.Add(run);
        }

        await WriteAsync(call, client, runs);
        return ExitCode.Ok;
    }

    private static async Task WriteAsync(CommandCall call, InstructTuneClient client, List<EvaluationRun> runs)
    {
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, new ListEvaluationRunsResponse { EvaluationRuns = { runs } });
            return;
        }

        EvaluationText.Write(call.Terminal, runs);
        if (runs.Count > 1)
        {
            var request = new CompareEvaluationRunsRequest();
            request.Arms.AddRange(runs.Select(run => new CompareEvaluationRunsRequest.Types.Arm { Runs = { run.Name } }));
            var comparison = await client.Evaluations.CompareEvaluationRunsAsync(request, cancellationToken: call.Ct);
            EvaluationText.Write(call.Terminal, comparison, [.. runs.Select(run => Names.Short(run.ModelVersion))]);
        }

        call.Terminal.Note($"Answers: instructtune eval show {Names.Short(runs[^1].Name)}");
    }

    private static void Check(CommandCall call)
    {
        var hasSuite = call.Has(Suite);
        if (hasSuite == call.Has(Data))
        {
            throw CliException.Usage("Give either --data with --metric, or --suite.");
        }

        if (hasSuite == call.Value(Metrics) is { Length: > 0 })
        {
            throw CliException.Usage(hasSuite ? "A suite brings its metrics: leave --metric out." : "Give at least one --metric, such as rougeL.");
        }
    }

    private static async Task<string> CreateSuiteAsync(CommandCall call, InstructTuneClient client)
    {
        var dataset = await Imports.DatasetOfAsync(client, call.Terminal, call.Value(Data)!, call.Ct);
        // Pinned here, because the suite's id is made from its content.
        var version = await client.Datasets.GetDatasetVersionAsync(
            new() { Name = Names.DatasetVersion(dataset) }, cancellationToken: call.Ct);
        var task = new EvaluationSuite.Types.Task
        {
            TaskId = version.Name.Split('/')[1],
            DatasetVersion = version.Name,
            MaxExamples = call.Value(MaxExamples),
            MaxOutputTokens = call.Value(MaxTokens),
        };
        task.Metrics.AddRange(call.Value(Metrics));
        var suite = new EvaluationSuite { Tasks = { task } };
        var created = await client.Evaluations.CreateEvaluationSuiteAsync(
            new() { EvaluationSuite = suite, EvaluationSuiteId = SuiteId.Of(suite) }, cancellationToken: call.Ct);
        return created.Name;
    }
}
