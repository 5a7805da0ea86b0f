using System.CommandLine;
using InstructTune.Cli.CommandLine;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune finetune log</c>: what a job logged so far, in the formats of other tools.</summary>
internal static class FineTuneLogCommand
{
    public static Command Create(CliContext context)
    {
        var job = new Argument<string>("job") { Description = "The job's name, as printed when it was created." };
        var folder = new Option<string>("--export", "--out")
        {
            Description = "Folder that receives trainer_state.json (Hugging Face), trainer_log.jsonl (LLaMA-Factory), a TensorBoard event file and metrics.jsonl.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => ".",
        };
        return new Command("log", "Writes what a job logged, step by step, for TensorBoard and other tools; also while it runs.")
            .With(job, folder)
            .WithAction(context, async call =>
            {
                using var client = call.Connect();
                var handle = client.FineTuneJob(Names.Job(call.Value(job)!));
                var files = await handle.ReadLogsAsync(call.Value(folder)!, call.Ct);
                if (files.Count == 0)
                {
                    throw new CliException($"{Names.Short(handle.Name)} has reported no step yet.");
                }

                foreach (var file in files)
                {
                    call.Terminal.Out.WriteLine(Path.Combine(call.Value(folder)!, file.Name));
                }

                return ExitCode.Ok;
            });
    }
}
