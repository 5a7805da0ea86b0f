using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>Trains the arms. Both are queued at once; the server takes them one after the other.</summary>
internal sealed class DemoTraining(InstructTuneClient client, CliContext context)
{
    private readonly List<FineTuneJobHandle> _started = [];

    /// <summary>Jobs that were started and not seen to end.</summary>
    public IReadOnlyList<string> Unfinished => [.. _started.Select(handle => Names.Short(handle.Name))];

    public async Task<IReadOnlyList<DemoArm>> TrainAsync(string baseModel, DemoDatasets data, DemoPlan plan, ulong seed)
    {
        var ct = context.Interrupts.First;
        var specialist = await StartAsync("specialist-only", plan.Spec(baseModel, data, seed, withGeneralist: false), ct);
        var twoStage = await StartAsync("two-stage", plan.Spec(baseModel, data, seed, withGeneralist: true), ct);
        return
        [
            await FollowAsync(new DemoArm(DemoArm.SpecialistTitle, "#d55e00", ""), specialist, ct),
            await FollowAsync(new DemoArm(DemoArm.TwoStageTitle, "#0072b2", ""), twoStage, ct),
        ];
    }

    /// <summary>Asks all that runs to stop, and waits until it has: checkpoints are then on the disk.</summary>
    public async Task CancelAsync(CancellationToken ct)
    {
        foreach (var handle in _started)
        {
            await handle.CancelAsync(ct);
        }

        foreach (var handle in _started)
        {
            await handle.WaitAsync(ct);
        }
    }

    private async Task<FineTuneJobHandle> StartAsync(string id, FineTuneSpec spec, CancellationToken ct)
    {
        var request = new CreateFineTuneJobRequest { FineTuneJobId = id, FineTuneJob = new FineTuneJob { Spec = spec } };
        var job = await client.FineTunes.CreateFineTuneJobAsync(request, cancellationToken: ct);
        var handle = client.FineTuneJob(job.Name);
        _started.Add(handle);
        return handle;
    }

    private async Task<DemoArm> FollowAsync(DemoArm arm, FineTuneJobHandle handle, CancellationToken ct)
    {
        var losses = new LossLog();
        await JobDisplay.FollowAsync(context.Terminal, arm.Title, handle.WatchAsync(0, ct), losses.Add, ct);
        var job = await handle.GetAsync(ct);
        _started.Remove(handle);
        return job.Job.State == JobState.Succeeded
            ? arm with { ModelVersion = job.ModelVersion, Job = job, Losses = losses.Reports }
            : throw new CliException(
                $"The training '{arm.Title}' {Formats.Lower(job.Job.State)}: {job.Job.Error?.Message ?? "no reason given"}");
    }
}
