using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune finetune create|watch|log|report|list|cancel|resume</c>.</summary>
internal static class FineTuneCommands
{
    private static readonly Option<bool> Watch = new("--watch") { Description = "Follow the job to its end. Ctrl+C cancels it, resumably." };

    public static Command Create(CliContext context) => new Command("finetune", "Fine-tune jobs: create, watch, log, report, list, cancel, resume.").With(
        FineTuneCreateCommand.Create(context, Watch),
        WatchJob(context),
        FineTuneLogCommand.Create(context),
        FineTuneReportCommand.Create(context),
        List(context),
        Cancel(context),
        Resume(context));

    private static Command WatchJob(CliContext context)
    {
        var job = JobArgument();
        var after = new Option<long>("--after") { Description = "Skip the events up to this sequence number.", HelpName = "SEQUENCE" };
        var plot = new Option<bool>("--plot") { Description = "Draw the loss; live in a terminal, at the end elsewhere." };
        return new Command("watch", "Follows a job to its end. Ctrl+C stops watching; the job goes on.").With(job, after, plot).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var handle = client.FineTuneJob(Names.Job(call.Value(job)!));
            await handle.GetAsync(call.Ct);
            return await new JobFollower(call, handle, call.Value(after), call.Value(plot)).WatchAsync();
        });
    }

    private static Command List(CliContext context) =>
        new Command("list", "Lists the jobs, newest first.").WithAction(context, async call =>
        {
            using var client = call.Connect();
            var jobs = await Pages.AllAsync(
                token => client.FineTunes.ListFineTuneJobsAsync(new() { PageToken = token }, cancellationToken: call.Ct).ResponseAsync,
                page => page.FineTuneJobs,
                page => page.NextPageToken);
            if (call.IsJson)
            {
                JsonText.Write(call.Terminal, new ListFineTuneJobsResponse { FineTuneJobs = { jobs } });
                return ExitCode.Ok;
            }

            var grid = new Grid("job", "state", "done", "stages", "base", "result", "created");
            foreach (var job in jobs)
            {
                grid.Add(
                    Names.Short(job.Name),
                    Formats.Lower(job.Job.State),
                    Formats.Percent(job.Job.Progress),
                    string.Join(" > ", job.Spec.Stages.Select(stage => stage.StageId)),
                    Names.Short(job.Spec.BaseModel),
                    job.ModelVersion.Length > 0 ? Names.Short(job.ModelVersion) : "-",
                    Formats.Time(job.Job.CreateTime));
            }

            grid.WriteTo(call.Terminal);
            return ExitCode.Ok;
        });

    private static Command Cancel(CliContext context)
    {
        var job = JobArgument();
        return new Command("cancel", "Stops a job after its current step; a checkpoint is kept.").With(job).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var cancelled = await client.FineTuneJob(Names.Job(call.Value(job)!)).CancelAsync(call.Ct);
            Write(call, cancelled);
            return ExitCode.Ok;
        });
    }

    private static Command Resume(CliContext context)
    {
        var job = JobArgument();
        return new Command("resume", "Queues a failed or cancelled job again, from its newest checkpoint.").With(job, Watch).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var handle = client.FineTuneJob(Names.Job(call.Value(job)!));
            // Earlier events belong to the attempt that ended.
            var before = await handle.GetAsync(call.Ct);
            var resumed = await handle.ResumeAsync(call.Ct);
            if (call.Value(Watch))
            {
                return await new JobFollower(call, handle, before.Job.LastEventSequence).WatchOwnAsync();
            }

            Write(call, resumed);
            return ExitCode.Ok;
        });
    }

    public static void Write(CommandCall call, FineTuneJob job)
    {
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, job);
            return;
        }

        call.Terminal.Out.WriteLine($"{Names.Short(job.Name)}: {Formats.Lower(job.Job.State)}, {Formats.Percent(job.Job.Progress)} done");
    }

    private static Argument<string> JobArgument() => new("job") { Description = "The job's name, as printed when it was created." };
}
