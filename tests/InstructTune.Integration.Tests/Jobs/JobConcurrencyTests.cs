using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

public sealed class JobConcurrencyTests(StoreFixture stores)
{
    private const int Jobs = 120;
    private const int Workers = 8;
    private const int Seed = 20_310;

    private static readonly TimeSpan ShortLease = TimeSpan.FromMilliseconds(300);

    [Theory]
    [EachStore]
    public async Task Many_workers_with_crashes_and_late_writers_publish_every_job_once(StoreKind kind)
    {
        var name = stores.NewQueue();
        var queues = await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => OpenAsync(kind, name)));
        await Task.WhenAll(Enumerable.Range(0, Jobs).Select(number => queues[number % Workers].Store.CreateAsync(JobQueue.New($"j{number}", maxAttempts: 50), JobQueue.Ct)));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(JobQueue.Ct);
        var reaping = ReapAsync(queues[0].Store, done.Token);
        var tallies = await Task.WhenAll(queues.Select((queue, worker) => WorkAsync(queue.Store, new Random(Seed + worker))));
        await done.CancelAsync();
        await reaping;

        var jobs = await InvariantChecker.CheckQueueAsync(queues[0].Store, JobQueue.Ct);
        Assert.Equal(Jobs, jobs.Count);
        Assert.All(jobs, job => Assert.Equal(JobState.Succeeded, job.State));
        Assert.Equal(Jobs, tallies.Sum(tally => tally.Published));
        // A quiet run passes everything: there were crashes, and late writers were refused.
        Assert.True(tallies.Sum(tally => tally.Crashes) > 0, "No worker crashed.");
        Assert.True(tallies.Sum(tally => tally.Refused) > 0, "No late write was refused.");
        foreach (var queue in queues)
        {
            await queue.Redis.DisposeAsync();
        }
    }

    // Connections of their own: commands of one connection run one after the other whatever the server does.
    private async Task<(JobStore Store, RedisConnection Redis)> OpenAsync(StoreKind kind, string name)
    {
        var server = await stores.ServerAsync(kind);
        var redis = new RedisConnection(new RedisOptions { Configuration = server.Configuration }, TimeProvider.System);
        return (new JobStore(redis, name, new LeaseOptions { RetryUnit = TimeSpan.Zero }), redis);
    }

    private static async Task ReapAsync(JobStore store, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                await store.ReapAsync(sweep: false, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // The test ended.
        }
    }

    private static async Task<Tally> WorkAsync(JobStore store, Random random)
    {
        var tally = new Tally(0, 0, 0);
        JobRecord? job;
        while ((job = await store.AcquireAsync("w", "n", ShortLease, JobQueue.Ct)) is not null || await HasWorkAsync(store))
        {
            tally = job is null ? tally : await RunAsync(store, job, random, tally);
        }

        return tally;
    }

    private static async Task<Tally> RunAsync(JobStore store, JobRecord job, Random random, Tally tally)
    {
        var checkpoint = job.Checkpoint;
        for (var number = 1; number <= 3; number++)
        {
            var body = new CheckpointBody($"a{job.Attempt}-{number}", job.Step + number);
            if (!(await store.ReportCheckpointAsync(job.Id, job.Attempt, number, checkpoint, body, JobQueue.Ct)).IsAccepted)
            {
                return tally with { Refused = tally.Refused + 1 };
            }

            checkpoint = body.Checkpoint;
            var fate = random.NextDouble();
            if (fate < 0.03)
            {
                return tally with { Crashes = tally.Crashes + 1 };
            }

            if (fate < 0.06)
            {
                // Wakes after its lease, when the job was taken from it, and goes on as if nothing had happened.
                await Eventually.HoldsAsync(async () => !await IsHeldAsync(store, job), "the lease runs out", TimeSpan.FromSeconds(30));
            }
        }

        var outcome = await store.CompleteSucceededAsync(job.Id, job.Attempt, checkpoint, "result", JobQueue.Ct);
        return outcome == CompleteOutcome.Done ? tally with { Published = tally.Published + 1 } : tally with { Refused = tally.Refused + 1 };
    }

    private static async Task<bool> IsHeldAsync(JobStore store, JobRecord job) =>
        await store.GetAsync(job.Id, JobQueue.Ct) is { State: JobState.Running } now && now.Attempt == job.Attempt;

    private static async Task<bool> HasWorkAsync(JobStore store) =>
        (await store.ListAsync(1000, "", JobQueue.Ct)).Items.Any(job => !job.State.IsTerminal());

    private sealed record Tally(int Published, int Crashes, int Refused);
}
