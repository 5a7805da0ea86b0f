using InstructTune.Jobs;
using InstructTune.Storage;

namespace InstructTune.JobsLoad;

/// <summary>Takes jobs until none is left. Some it forgets, as a crash does; some it goes on with after they were taken from it.</summary>
internal sealed class LoadWorker(RedisConnection redis, int seed, TimeSpan lease)
{
    private readonly Random _random = new(seed);
    private readonly List<(JobRecord Job, string Checkpoint)> _zombies = [];

    public int Published { get; private set; }

    public int Crashes { get; private set; }

    public int Zombies { get; private set; }

    public int Refused { get; private set; }

    public async Task RunAsync()
    {
        var store = new JobStore(redis, "load", new LeaseOptions { RetryUnit = TimeSpan.Zero });
        while (true)
        {
            if (await store.AcquireAsync($"w{seed}", "n", lease) is { } job)
            {
                await WorkAsync(store, job);
            }
            else if (await store.StatsAsync() is { Queued: 0, Delayed: 0, Leased: 0 })
            {
                break;
            }
            else
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }

        // By now their jobs are others' and done.
        foreach (var (job, checkpoint) in _zombies)
        {
            await CompleteAsync(store, job, checkpoint);
        }
    }

    private async Task WorkAsync(JobStore store, JobRecord job)
    {
        var body = new CheckpointBody($"a{job.Attempt}", job.Step + 1);
        if (!(await store.ReportCheckpointAsync(job.Id, job.Attempt, 1, job.Checkpoint, body)).IsAccepted)
        {
            Refused++;
            return;
        }

        await store.ReportAsync(new JobReport { Id = job.Id, Attempt = job.Attempt, Number = 2, Body = new PhaseBody("publishing"), Progress = 0.9 });
        var fate = _random.NextDouble();
        if (fate < LoadSettings.CrashRate)
        {
            Crashes++;
        }
        else if (fate < LoadSettings.CrashRate + LoadSettings.ZombieRate)
        {
            Zombies++;
            _zombies.Add((job, body.Checkpoint));
        }
        else
        {
            await CompleteAsync(store, job, body.Checkpoint);
        }
    }

    private async Task CompleteAsync(JobStore store, JobRecord job, string checkpoint)
    {
        var outcome = await store.CompleteSucceededAsync(job.Id, job.Attempt, checkpoint, $"result of {job.Attempt}");
        Published += outcome == CompleteOutcome.Done ? 1 : 0;
        Refused += outcome == CompleteOutcome.Done ? 0 : 1;
    }
}
