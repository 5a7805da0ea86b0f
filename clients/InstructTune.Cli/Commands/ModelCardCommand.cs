using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Report;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune model card</c>: the card among a version's files, with what evaluation runs found since.</summary>
internal static class ModelCardCommand
{
    public static Command Create(CliContext context)
    {
        var name = new Argument<string>("model") { Description = "NAME or NAME@VERSION." };
        var output = new Option<string?>("--out") { Description = "File to write, such as README.md; default: standard output.", HelpName = "FILE" };
        return new Command("card", "Prints the model card of a version, with the results of its evaluation runs.").With(name, output).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var card = await client.Models.GetModelCardAsync(new() { Name = Names.ModelVersion(call.Value(name)!) }, cancellationToken: call.Ct);
            var runs = await Pages.AllAsync(
                token => client.Evaluations.ListEvaluationRunsAsync(new() { PageToken = token }, cancellationToken: call.Ct).ResponseAsync,
                page => page.EvaluationRuns,
                page => page.NextPageToken);
            List<EvaluationRun> own = [.. runs.Where(run => run.ModelVersion == card.ModelVersion && run.Job.State == JobState.Succeeded)];
            card.Markdown = CardWithScores.Render(card.Markdown, card.ModelVersion, own);
            if (call.Value(output) is { } path)
            {
                WholeFile.Write(path, card.Markdown);
                call.Terminal.Out.WriteLine(path);
            }
            else if (call.IsJson)
            {
                JsonText.Write(call.Terminal, card);
            }
            else
            {
                call.Terminal.Out.Write(card.Markdown);
            }

            return ExitCode.Ok;
        });
    }
}
