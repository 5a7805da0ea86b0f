using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Demo;

/// <summary>Trains the arms. All are queued at once; the server takes them one after the other.</summary>
internal sealed class DemoTraining(InstructTuneClient client, CliContext context)
{
    private readonly List<FineTuneJobHandle> _started = [];

    /// <summary>Jobs that were started and not seen to end.</summary>
    public IReadOnlyList<string> Unfinished => [.. _started.Select(handle => Names.Short(handle.Name))];

    /// <summary>Both ways to train, seed by seed. Element 0 and 1 are those of the first seed.</summary>
    public async Task<IReadOnlyList<DemoArm>> TrainAsync(string baseModel, DemoDatasets data, DemoPlan plan, ulong seed)
    {
        var ct = context.Interrupts.First;
        var queued = new List<(DemoArm Arm, FineTuneJobHandle Handle)>();
        for (var i = 0; i < plan.SeedCount; i++)
        {
            var suffix = i == 0 ? "" : $"-seed{i + 1}";
            var specialist = plan.Spec(baseModel, data, seed + (ulong)i, withGeneralist: false);
            var twoStage = plan.Spec(baseModel, data, seed + (ulong)i, withGeneralist: true);
            queued.Add((new DemoArm(DemoArm.SpecialistTitle, "#d55e00", "") { SeedIndex = i }, await StartAsync("specialist-only" + suffix, specialist, ct)));
            queued.Add((new DemoArm(DemoArm.TwoStageTitle, "#0072b2", "") { SeedIndex = i }, await StartAsync("two-stage" + suffix, twoStage, ct)));
        }

        var trained = new List<DemoArm>();
        foreach (var (arm, handle) in queued)
        {
            trained.Add(await FollowAsync(arm, handle, ct));
        }

        return trained;
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
        await JobDisplay.FollowAsync(context.Terminal, arm.Title, handle.WatchAsync(0, ct), losses.Add, ct, isBrief: true);
        var job = await handle.GetAsync(ct);
        _started.Remove(handle);
        return job.Job.State == JobState.Succeeded
            ? arm with { ModelVersion = job.ModelVersion, Job = job, Losses = losses.Reports }
            : throw new CliException(
                $"The training '{arm.Title}' {Formats.Lower(job.Job.State)}: {job.Job.Error?.Message ?? "no reason given"}");
    }
}
