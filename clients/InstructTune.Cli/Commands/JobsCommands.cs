using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune jobs list|show|log|cancel|pause|resume|delete</c>: jobs of every kind, as operators see them.</summary>
internal static class JobsCommands
{
    public static Command Create(CliContext context) => new Command("jobs", "Jobs of every kind: list, show, log, cancel, pause, resume, delete.").With(
        List(context),
        Show(context),
        Log(context),
        Change(context, "cancel", "Stops a job after its current step; a checkpoint is kept.", async (client, name, ct) => name.StartsWith("evaluationRuns/", StringComparison.Ordinal)
            ? JobRow.Of(await client.EvaluationRun(name).CancelAsync(ct))
            : JobRow.Of(await client.FineTuneJob(name).CancelAsync(ct))),
        Change(context, "pause", "As cancel, for a while: the job says that it is paused, and resume goes on.", async (client, name, ct) =>
            JobRow.Of(await client.FineTunes.PauseFineTuneJobAsync(new PauseFineTuneJobRequest { Name = name }, cancellationToken: ct))),
        Change(context, "resume", "Queues a failed, cancelled or paused job again, from its newest checkpoint.", async (client, name, ct) =>
            JobRow.Of(await client.FineTuneJob(name).ResumeAsync(ct))),
        Delete(context));

    private static Command List(CliContext context)
    {
        var all = new Option<bool>("--all") { Description = "Also jobs that have ended." };
        return new Command("list", "What waits and what runs, by queue: depth, age, workers and leases, attempts, faults.").With(all).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var rows = new List<JobRow>();
            rows.AddRange((await Pages.AllAsync(
                token => client.FineTunes.ListFineTuneJobsAsync(new() { PageToken = token, PageSize = 1000 }, cancellationToken: call.Ct).ResponseAsync,
                page => page.FineTuneJobs,
                page => page.NextPageToken)).Select(JobRow.Of));
            rows.AddRange((await Pages.AllAsync(
                token => client.Evaluations.ListEvaluationRunsAsync(new() { PageToken = token, PageSize = 1000 }, cancellationToken: call.Ct).ResponseAsync,
                page => page.EvaluationRuns,
                page => page.NextPageToken)).Select(JobRow.Of));
            var now = call.Context.Time.GetUtcNow().UtcDateTime;
            var shown = rows.Where(row => call.Value(all) || !row.HasEnded).ToList();
            if (call.IsJson)
            {
                shown.ForEach(row => JsonText.WriteLine(call.Terminal, row.Resource));
                return ExitCode.Ok;
            }

            foreach (var queue in rows.GroupBy(row => row.Queue, StringComparer.Ordinal))
            {
                call.Terminal.Note(JobRow.Summary(queue.Key, [.. queue], now));
            }

            JobRow.Table(shown, now).WriteTo(call.Terminal);
            return ExitCode.Ok;
        });
    }

    private static Command Show(CliContext context)
    {
        var job = JobArgument();
        return new Command("show", "One job: its state, worker, lease, attempts and faults.").With(job).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var name = NameOf(call.Value(job)!);
            var row = name.StartsWith("evaluationRuns/", StringComparison.Ordinal)
                ? JobRow.Of(await client.EvaluationRun(name).GetAsync(call.Ct))
                : JobRow.Of(await client.FineTuneJob(name).GetAsync(call.Ct));
            if (call.IsJson)
            {
                JsonText.Write(call.Terminal, row.Resource);
                return ExitCode.Ok;
            }

            var grid = new Grid("what", "value");
            foreach (var (what, value) in row.Details(call.Context.Time.GetUtcNow().UtcDateTime))
            {
                grid.Add(what, value);
            }

            grid.WriteTo(call.Terminal);
            return ExitCode.Ok;
        });
    }

    private static Command Log(CliContext context)
    {
        var job = JobArgument();
        var steps = new Option<bool>("--steps") { Description = "Also the measurements of every step." };
        return new Command("log", "What happened to a fine-tune job so far, from its own log; complete also when the server keeps its events no more.")
            .With(job, steps).WithAction(context, async call =>
            {
                using var client = call.Connect();
                var parent = Names.Job(call.Value(job)!);
                var events = await Pages.AllAsync(
                    token => client.FineTunes.ListFineTuneJobEventsAsync(new() { Parent = parent, PageToken = token, PageSize = 1000 }, cancellationToken: call.Ct).ResponseAsync,
                    page => page.Events,
                    page => page.NextPageToken);
                foreach (var entry in events.Where(entry => call.IsJson || call.Value(steps) || entry.MetricsReported is null))
                {
                    if (call.IsJson)
                    {
                        JsonText.WriteLine(call.Terminal, entry);
                    }
                    else
                    {
                        call.Terminal.Out.WriteLine(JobEventLine.Of(entry));
                    }
                }

                return ExitCode.Ok;
            });
    }

    private static Command Delete(CliContext context)
    {
        var job = JobArgument();
        return new Command("delete", "Deletes a fine-tune job that has ended, with its events and checkpoints; the model that it made stays.").With(job).WithAction(context, async call =>
        {
            using var client = call.Connect();
            await client.FineTunes.DeleteFineTuneJobAsync(new DeleteFineTuneJobRequest { Name = Names.Job(call.Value(job)!) }, cancellationToken: call.Ct);
            call.Terminal.Note($"{Names.Short(call.Value(job)!)} is deleted.");
            return ExitCode.Ok;
        });
    }

    private static Command Change(
        CliContext context, string verb, string description, Func<InstructTune.Client.InstructTuneClient, string, CancellationToken, Task<JobRow>> change)
    {
        var job = JobArgument();
        return new Command(verb, description).With(job).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var row = await change(client, NameOf(call.Value(job)!), call.Ct);
            if (call.IsJson)
            {
                JsonText.Write(call.Terminal, row.Resource);
            }
            else
            {
                call.Terminal.Out.WriteLine($"{row.Id}: {row.State}, {Formats.Percent(row.Job.Progress)} done");
            }

            return ExitCode.Ok;
        });
    }

    // Evaluation runs are named in full; everything else is a fine-tune job.
    private static string NameOf(string text) => text.StartsWith("evaluationRuns/", StringComparison.Ordinal) ? Names.Run(text) : Names.Job(text);

    private static Argument<string> JobArgument() => new("job") { Description = "A fine-tune job's name, or evaluationRuns/RUN." };
}
