using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Jobs;

[Trait("fault", "6")]
public sealed class StoreOutageTests
{
    private const int JobsBeforeKill = 100;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [EachStore]
    public async Task Store_killed_and_started_again_costs_no_attempt_and_no_event(StoreKind kind)
    {
        await using var server = await ProcessStore.StartAsync(kind);
        await using var redis = Connect(server);
        var options = new LeaseOptions { Duration = TimeSpan.FromSeconds(30), RenewalInterval = TimeSpan.FromSeconds(1), PollInterval = TimeSpan.FromMilliseconds(50) };
        var steps = new SteppingHandler();
        await using var worker = await RunningWorker.StartAsync(redis, server, "outage", options, steps);
        await worker.CreateAsync("a", Ct);
        for (var kill = 1; kill <= Math.Min(FaultSettings.Kills, 5); kill++)
        {
            await steps.ReachesAsync(kill * 10, Ct);
            await server.KillAsync();
            // The work goes on while the store is away.
            await steps.ReachesAsync((kill * 10) + 2, Ct);
            await server.StartAgainAsync();
        }

        var job = await worker.EndedAsync("a", Ct);
        Assert.Equal((JobState.Succeeded, 1, 0), (job.State, job.Attempt, job.Failures));
        var events = (await worker.Calm.ReadEventsAsync("a", 0, 10_000, Ct))!.Entries;
        Assert.Equal(
            Enumerable.Range(1, SteppingHandler.Steps).Select(step => (long)step),
            events.Select(entry => entry.Body).OfType<MetricsBody>().Select(metrics => metrics.Step));
        await InvariantChecker.CheckQueueAsync(worker.Calm, Ct);
    }

    [Theory]
    [EachStore]
    public async Task Store_away_for_longer_than_a_lease_makes_the_worker_fence_itself_and_one_successor_finish(StoreKind kind)
    {
        await using var server = await ProcessStore.StartAsync(kind);
        await using var redis = Connect(server);
        var options = new LeaseOptions
        {
            Duration = TimeSpan.FromSeconds(2),
            RenewalInterval = TimeSpan.FromMilliseconds(300),
            PollInterval = TimeSpan.FromMilliseconds(50),
            ReapInterval = TimeSpan.FromMilliseconds(100),
        };
        var steps = new SteppingHandler();
        await using var worker = await RunningWorker.StartAsync(redis, server, "outage", options, steps);
        await worker.CreateAsync("a", Ct);
        await steps.ReachesAsync(5, Ct);
        server.Freeze();
        Assert.Equal(StopReason.LeaseLost, await steps.Stopped.Task.WaitAsync(TimeSpan.FromSeconds(30), Ct));
        server.Thaw();
        var job = await worker.EndedAsync("a", Ct);
        Assert.Equal((JobState.Succeeded, 2, 1), (job.State, job.Attempt, job.Failures));
        await InvariantChecker.CheckQueueAsync(worker.Calm, Ct);
    }

    [Theory]
    [EachStore]
    public async Task Call_to_a_frozen_store_ends_within_the_patience_and_the_connection_comes_back(StoreKind kind)
    {
        await using var server = await ProcessStore.StartAsync(kind);
        await using var redis = Connect(server);
        var store = new JobStore(redis, "frozen");
        await Eventually.HoldsAsync(() => AnswersAsync(store), "the store answers", TimeSpan.FromSeconds(60));
        server.Freeze();
        var start = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAsync<StoreUnreachableException>(() => store.GetAsync("a", Ct));
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10));
        server.Thaw();
        await Eventually.HoldsAsync(() => AnswersAsync(store), "the store answers again", TimeSpan.FromSeconds(60));
    }

    [Theory]
    [EachStore]
    public async Task No_acknowledged_job_is_lost_when_the_store_is_killed_under_load(StoreKind kind)
    {
        FaultSettings.Begin("6");
        var recoveries = new List<TimeSpan>();
        await using var server = await ProcessStore.StartAsync(kind);
        await using var redis = Connect(server);
        var store = new JobStore(redis, "load");
        var acknowledged = new List<string>();
        for (var kill = 0; kill < FaultSettings.Kills; kill++)
        {
            Task? killing = null;
            for (var number = 0; killing is not { IsCompleted: true }; number++)
            {
                killing ??= number == JobsBeforeKill ? Task.Run(server.KillAsync, Ct) : null;
                if (await TryCreateAsync(store, $"k{kill}-{number}"))
                {
                    acknowledged.Add($"k{kill}-{number}");
                }
            }

            await killing;
            var killed = TimeProvider.System.GetTimestamp();
            await server.StartAgainAsync();
            await Eventually.HoldsAsync(() => AnswersAsync(store), "the store answers again", TimeSpan.FromSeconds(60));
            recoveries.Add(TimeProvider.System.GetElapsedTime(killed));
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kind}: {acknowledged.Count} acknowledged, longest recovery {recoveries.Max().TotalSeconds:N1} s");

        Assert.True(acknowledged.Count >= FaultSettings.Kills * JobsBeforeKill, string.Create(CultureInfo.InvariantCulture, $"Only {acknowledged.Count} jobs were created."));
        await using var calm = new RedisConnection(
            new RedisOptions { Configuration = server.Configuration, Patience = TimeSpan.FromSeconds(60) }, TimeProvider.System);
        var kept = (await InvariantChecker.CheckQueueAsync(new JobStore(calm, "load"), Ct)).Select(job => job.Id).ToHashSet();
        Assert.All(acknowledged, id => Assert.Contains(id, kept));
    }

    private static async Task<bool> TryCreateAsync(JobStore store, string id)
    {
        try
        {
            return (await store.CreateAsync(NewJob(id), Ct)).Outcome == CreateOutcome.Created;
        }
        catch (StoreUnreachableException)
        {
            return false;
        }
    }

    private static async Task<bool> AnswersAsync(JobStore store)
    {
        try
        {
            await store.GetAsync("a", Ct);
            return true;
        }
        catch (StoreUnreachableException)
        {
            return false;
        }
    }

    private static RedisConnection Connect(StoreServer server) =>
        new(new RedisOptions { Configuration = server.Configuration, Patience = TimeSpan.FromSeconds(2) }, TimeProvider.System);

    private static NewJob NewJob(string id) => new() { Id = id, Spec = "{}" };
}
