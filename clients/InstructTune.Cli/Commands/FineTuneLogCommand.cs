using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Tracking;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune finetune log</c>: what a job reported so far, in the formats of other tools.</summary>
internal static class FineTuneLogCommand
{
    public static Command Create(CliContext context)
    {
        var job = new Argument<string>("job") { Description = "The job's name, as printed when it was created." };
        var folder = new Option<string>("--out")
        {
            Description = "Folder that receives trainer_log.jsonl (LLaMA-Factory) and a TensorBoard event file.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => ".",
        };
        return new Command("log", "Writes what a job reported, step by step, as trainer_log.jsonl and for TensorBoard.")
            .With(job, folder)
            .WithAction(context, async call =>
            {
                using var client = call.Connect();
                var handle = client.FineTuneJob(Names.Job(call.Value(job)!));
                var rows = await TrainingRow.ReadAsync(SoFarAsync(handle, call.Ct), call.Ct);
                if (rows.Count == 0)
                {
                    throw new CliException($"{Names.Short(handle.Name)} has reported no step yet.");
                }

                Write(call, call.Value(folder)!, Names.Short(handle.Name), rows);
                return ExitCode.Ok;
            });
    }

    private static void Write(CommandCall call, string folder, string job, IReadOnlyList<TrainingRow> rows)
    {
        Directory.CreateDirectory(folder);
        var log = Path.Combine(folder, "trainer_log.jsonl");
        WholeFile.Write(log, TrainerLog.Render(rows));
        var events = Path.Combine(folder, TensorBoardFile.FileName(new DateTimeOffset(rows[0].Time, TimeSpan.Zero), job));
        WholeFile.Write(events, output => TensorBoardLog.Write(output, rows));

        call.Terminal.Out.WriteLine(log);
        call.Terminal.Out.WriteLine(events);
    }

    /// <summary>The events up to now: a running job's watch would go on to its end.</summary>
    private static async IAsyncEnumerable<JobEvent> SoFarAsync(
        FineTuneJobHandle handle, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var last = (await handle.GetAsync(ct)).Job.LastEventSequence;
        if (last == 0)
        {
            yield break;
        }

        await foreach (var change in handle.WatchAsync(0, ct))
        {
            yield return change;
            if (change.Sequence >= last)
            {
                yield break;
            }
        }
    }
}
