using System.CommandLine;
using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune eval show</c>: the scores of a run and some of its answers.</summary>
internal static class EvaluationShowCommand
{
    private static readonly Argument<string> Run = new("run") { Description = "The run's name, as printed by 'eval run'." };
    private static readonly Option<int> Answers = new("--answers") { Description = "How many answers to print.", DefaultValueFactory = _ => 3, HelpName = "N" };

    public static Command Create(CliContext context) =>
        new Command("show", "Shows the scores of a run and its first answers.").With(Run, Answers).WithAction(context, RunAsync);

    private static async Task<int> RunAsync(CommandCall call)
    {
        using var client = call.Connect();
        var run = await client.EvaluationRun(Names.Run(call.Value(Run)!)).GetAsync(call.Ct);
        var answers = await AnswersAsync(client, run.Name, call.Value(Answers), call.Ct);
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, run);
            return ExitCode.Ok;
        }

        call.Terminal.Out.WriteLine($"{Names.Short(run.Name)}: {Formats.Lower(run.Job.State)}, {Names.Short(run.Suite)} on {Names.Short(run.ModelVersion)}");
        EvaluationText.Write(call.Terminal, [run]);
        foreach (var answer in answers)
        {
            call.Terminal.Out.WriteLine();
            call.Terminal.Out.WriteLine($"[{answer.TaskId} {answer.ExampleIndex.ToString(CultureInfo.InvariantCulture)}] {answer.Prompt.TrimEnd()}");
            call.Terminal.Out.WriteLine($" -> {answer.Answer}");
            call.Terminal.Out.WriteLine($"    wanted: {string.Join(" | ", answer.References)}");
        }

        return ExitCode.Ok;
    }

    private static async Task<IEnumerable<EvaluationResult>> AnswersAsync(InstructTuneClient client, string run, int count, CancellationToken ct)
    {
        if (count <= 0)
        {
            return [];
        }

        var page = await client.Evaluations.ListEvaluationResultsAsync(new() { Parent = run, PageSize = count }, cancellationToken: ct);
        return page.EvaluationResults;
    }
}
