using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Report.Runs;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune finetune report</c>: a job as one HTML file.</summary>
internal static class FineTuneReportCommand
{
    public static Command Create(CliContext context)
    {
        var job = new Argument<string>("job") { Description = "The job's name, as printed when it was created." };
        var output = new Option<string?>("--out") { Description = "File to write; default: JOB.html.", HelpName = "FILE" };
        var samples = new Option<int>("--samples")
        {
            Description = "Training examples of each stage that are shown, with what the result answers to them.", HelpName = "N", DefaultValueFactory = _ => 3,
        };
        return new Command("report", "Writes a job as one HTML file: curves, settings, lineage, events, samples; also while it runs.")
            .With(job, output, samples)
            .WithAction(context, async call =>
            {
                using var client = call.Connect();
                var facts = await new RunReader(client, context.Time, call.Ct).ReadAsync(Names.Job(call.Value(job)!), call.Value(samples));
                var path = call.Value(output) ?? Names.Short(facts.Job.Name) + ".html";
                WholeFile.Write(path, RunReport.Render(facts));
                call.Terminal.Out.WriteLine(path);
                return ExitCode.Ok;
            });
    }
}
