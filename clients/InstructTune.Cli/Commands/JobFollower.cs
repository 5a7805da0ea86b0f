using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary>Shows a fine-tune job to its end, and leaves nothing running that the user asked to stop.</summary>
internal sealed class JobFollower(CommandCall call, FineTuneJobHandle handle, long afterSequence, bool showsPlot = false)
{
    private readonly string _id = Names.Short(handle.Name);

    /// <summary>Watches somebody's job: Ctrl+C stops watching only.</summary>
    public async Task<int> WatchAsync()
    {
        try
        {
            return await ToEndAsync();
        }
        catch (OperationCanceledException) when (call.Ct.IsCancellationRequested)
        {
            call.Terminal.Note($"The job goes on. Watch it again with: instructtune finetune watch {_id}");
            return ExitCode.Interrupted;
        }
    }

    /// <summary>Watches the job this command has started: Ctrl+C cancels it and waits until it has stopped.</summary>
    public async Task<int> WatchOwnAsync()
    {
        try
        {
            return await ToEndAsync();
        }
        catch (OperationCanceledException) when (call.Ct.IsCancellationRequested)
        {
            await StopAsync();
            return ExitCode.Interrupted;
        }
    }

    private async Task<int> ToEndAsync()
    {
        Action<JobEvent>? onEvent = call.IsJson ? change => JsonText.WriteLine(call.Terminal, change) : null;
        var events = handle.WatchAsync(afterSequence, call.Ct);
        await (showsPlot
            ? PlotDisplay.FollowAsync(call.Terminal, call.Context.Time, _id, events, onEvent, call.Ct)
            : JobDisplay.FollowAsync(call.Terminal, _id, events, onEvent, call.Ct));
        var job = await handle.GetAsync(call.Ct);
        if (job.Job.State == JobState.Succeeded)
        {
            if (!call.IsJson)
            {
                call.Terminal.Out.WriteLine(job.ModelVersion);
            }

            call.Terminal.Note($"Try it with: instructtune chat --model {Names.Short(job.ModelVersion)}");
            return ExitCode.Ok;
        }

        call.Terminal.Note($"instructtune: {_id} {Formats.Lower(job.Job.State)}: {job.Job.Error?.Message ?? "no reason given"}");
        SayHowToResume();
        return ExitCode.Failed;
    }

    private async Task StopAsync()
    {
        call.Terminal.Note($"Stopping {_id} after its current step; a checkpoint is saved. Ctrl+C again stops waiting for it.");
        try
        {
            // A token of its own: the first Ctrl+C has cancelled the other one.
            await handle.CancelAsync(call.Context.Interrupts.Second);
            var job = await handle.WaitAsync(call.Context.Interrupts.Second);
            call.Terminal.Note($"{_id} {Formats.Lower(job.Job.State)} at {Formats.Percent(job.Job.Progress)}.");
            if (job.Job.State == JobState.Succeeded)
            {
                call.Terminal.Note($"It had ended before: the result is {Names.Short(job.ModelVersion)}.");
                return;
            }
        }
        catch (OperationCanceledException)
        {
            call.Terminal.Note($"Not waited for: {_id} was asked to stop.");
        }

        SayHowToResume();
    }

    private void SayHowToResume() => call.Terminal.Note($"Resume it with: instructtune finetune resume {_id} --watch");
}
