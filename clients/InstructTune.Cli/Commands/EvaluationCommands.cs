using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune eval run|compare|show|list</c>.</summary>
internal static class EvaluationCommands
{
    public static Command Create(CliContext context) => new Command("eval", "Evaluation runs: run, compare, show, list.").With(
        EvaluationRunCommand.Create(context),
        Compare(context),
        EvaluationShowCommand.Create(context),
        List(context));

    private static Command Compare(CliContext context)
    {
        var runs = new Argument<string[]>("run") { Description = "The baseline first, then the others. Runs of one way to train with several seeds: RUN,RUN,RUN.", Arity = new ArgumentArity(2, 64) };
        var margin = new Option<double?>("--margin")
        {
            Description = "Differences smaller than this count as equal (server's default: 0.01).",
            HelpName = "D",
        };
        return new Command("compare", "Compares runs of one suite, example by example.").With(runs, margin).WithAction(context, async call =>
        {
            var request = new CompareEvaluationRunsRequest();
            request.Arms.AddRange(call.Value(runs)!.Select(Arm));
            if (call.Value(margin) is { } equivalence)
            {
                request.EquivalenceMargin = equivalence;
            }

            using var client = call.Connect();
            var response = await client.Evaluations.CompareEvaluationRunsAsync(request, cancellationToken: call.Ct);
            if (call.IsJson)
            {
                JsonText.Write(call.Terminal, response);
            }
            else
            {
                EvaluationText.Write(call.Terminal, response, [.. request.Arms.Select(arm => string.Join(",", arm.Runs.Select(Names.Short)))]);
            }

            return ExitCode.Ok;
        });
    }

    private static CompareEvaluationRunsRequest.Types.Arm Arm(string runs) => new() { Runs = { runs.Split(',').Select(Names.Run) } };

    private static Command List(CliContext context) =>
        new Command("list", "Lists the runs, newest first.").WithAction(context, async call =>
        {
            using var client = call.Connect();
            var runs = await Pages.AllAsync(
                token => client.Evaluations.ListEvaluationRunsAsync(new() { PageToken = token }, cancellationToken: call.Ct).ResponseAsync,
                page => page.EvaluationRuns,
                page => page.NextPageToken);
            if (call.IsJson)
            {
                JsonText.Write(call.Terminal, new ListEvaluationRunsResponse { EvaluationRuns = { runs } });
                return ExitCode.Ok;
            }

            var grid = new Grid("run", "state", "suite", "model", "scores", "created");
            foreach (var run in runs)
            {
                grid.Add(
                    Names.Short(run.Name),
                    Formats.Lower(run.Job.State),
                    Names.Short(run.Suite),
                    Names.Short(run.ModelVersion),
                    string.Join(", ", run.Scores.Select(score => $"{EvaluationText.ShortMetric(score.Metric)} {Formats.Score(score.Value)}")),
                    Formats.Time(run.Job.CreateTime));
            }

            grid.WriteTo(call.Terminal);
            return ExitCode.Ok;
        });
}
