using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>The network between a worker and its store goes wrong in every way but the orderly one.</summary>
[Trait("fault", "7")]
public sealed class PartitionTests(StoreFixture stores)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongLease = TimeSpan.FromMinutes(3);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [EachStore]
    public async Task Partition_shorter_than_a_lease_costs_no_attempt_and_repeats_no_event(StoreKind kind)
    {
        await using var proxy = await ProxyAsync(kind);
        await using var redis = Connect(proxy);
        var steps = new SteppingHandler();
        await using var worker = await RunningWorker.StartAsync(redis, await stores.ServerAsync(kind), stores.NewQueue(), Options(LongLease), steps);
        await worker.CreateAsync("a", Ct);
        Fault[] faults = [Fault.HalfOpen, Fault.LoseAnswers, Fault.Refuse, Fault.Drip];
        for (var number = 0; number < faults.Length; number++)
        {
            await steps.ReachesAsync((number + 1) * 10, Ct);
            proxy.Fault = faults[number];
            await steps.ReachesAsync(((number + 1) * 10) + 5, Ct);
            proxy.Fault = Fault.None;
            // Nothing is lost by breaking off what is half done.
            proxy.Reset();
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
    public async Task Partition_longer_than_a_lease_has_exactly_one_successor(StoreKind kind)
    {
        await using var proxy = await ProxyAsync(kind);
        await using var redis = Connect(proxy);
        await using var direct = await OpenAsync(kind);
        var queue = stores.NewQueue();
        var steps = new SteppingHandler();
        var options = Options(TimeSpan.FromSeconds(3));
        await using var cutOff = await RunningWorker.StartAsync(redis, await stores.ServerAsync(kind), queue, options, steps);
        await cutOff.CreateAsync("a", Ct);
        await steps.ReachesAsync(3, Ct);
        await using var other = await RunningWorker.StartAsync(direct, await stores.ServerAsync(kind), queue, options, new SteppingHandler());
        proxy.Fault = Fault.HalfOpen;
        var job = await other.EndedAsync("a", Ct);
        Assert.Equal((JobState.Succeeded, 2, 1), (job.State, job.Attempt, job.Failures));
        Assert.Equal(StopReason.LeaseLost, await steps.Stopped.Task.WaitAsync(TimeSpan.FromSeconds(30), Ct));
        proxy.Fault = Fault.None;
        await InvariantChecker.CheckQueueAsync(other.Calm, Ct);
    }

    // The lease and renewal of production: minutes, so it runs on demand, by eng/run faults.
    [Theory(Explicit = true)]
    [EachStore]
    public async Task Partitions_of_5_29_31_and_120_seconds_against_a_lease_of_30(StoreKind kind)
    {
        FaultSettings.Begin("7");
        await Task.WhenAll(
            from fault in new[] { Fault.HalfOpen, Fault.LoseAnswers, Fault.Refuse }
            from seconds in new[] { 5, 29, 31, 120 }
            select PartitionAsync(kind, fault, TimeSpan.FromSeconds(seconds)));
    }

    private async Task PartitionAsync(StoreKind kind, Fault fault, TimeSpan length)
    {
        await using var proxy = await ProxyAsync(kind);
        await using var redis = Connect(proxy);
        await using var direct = await OpenAsync(kind);
        var queue = stores.NewQueue();
        var options = new LeaseOptions { PollInterval = TimeSpan.FromMilliseconds(200), ReapInterval = TimeSpan.FromSeconds(1) };
        var steps = new SteppingHandler(TimeSpan.FromSeconds(3));
        await using var cutOff = await RunningWorker.StartAsync(redis, await stores.ServerAsync(kind), queue, options, steps);
        await cutOff.CreateAsync("a", Ct);
        await steps.ReachesAsync(2, Ct);
        await using var other = await RunningWorker.StartAsync(direct, await stores.ServerAsync(kind), queue, options, new SteppingHandler());
        // Right behind a renewal, so that all of the lease is left.
        var before = (await other.Calm.GetAsync("a", Ct))!.LeaseExpires;
        await Eventually.HoldsAsync(async () => (await other.Calm.GetAsync("a", Ct))!.LeaseExpires > before, "the lease is renewed", Longest);
        proxy.Fault = fault;
        await Task.Delay(length, TimeProvider.System, Ct);
        proxy.Fault = Fault.None;
        proxy.Reset();
        var job = await other.EndedAsync("a", Ct);
        Assert.Equal((fault, length, JobState.Succeeded, length < options.Duration ? 1 : 2), (fault, length, job.State, job.Attempt));
        await InvariantChecker.CheckQueueAsync(other.Calm, Ct);
    }

    [Theory]
    [EachStore]
    public async Task Call_whose_answer_is_lost_ends_within_the_patience_and_can_be_sent_again(StoreKind kind)
    {
        await using var proxy = await ProxyAsync(kind);
        await using var redis = Connect(proxy);
        var store = new JobStore(redis, stores.NewQueue());
        var warm = new NewJob { Id = "warm", Spec = "{}", RequestId = "w" };
        await Eventually.HoldsAsync(async () => await TryCreateAsync(store, warm) is not null, "the store answers", Longest);
        var job = new NewJob { Id = "a", Spec = "{}", RequestId = "r", BodySha256 = "b" };
        proxy.Fault = Fault.LoseAnswers;
        var start = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAsync<StoreUnreachableException>(() => store.CreateAsync(job, Ct));
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10));
        proxy.Fault = Fault.None;
        proxy.Reset();
        CreateResult? answer = null;
        await Eventually.HoldsAsync(async () => (answer = await TryCreateAsync(store, job)) is not null, "the store answers again", Longest);
        Assert.Equal(new CreateResult(CreateOutcome.SameRequest, "a"), answer);
    }

    private static async Task<CreateResult?> TryCreateAsync(JobStore store, NewJob job)
    {
        try
        {
            return await store.CreateAsync(job, Ct);
        }
        catch (StoreUnreachableException)
        {
            return null;
        }
    }

    private static LeaseOptions Options(TimeSpan lease) => new()
    {
        Duration = lease,
        RenewalInterval = TimeSpan.FromMilliseconds(500),
        PollInterval = TimeSpan.FromMilliseconds(50),
        ReapInterval = TimeSpan.FromMilliseconds(100),
    };

    private static RedisConnection Connect(FaultProxy proxy) => new(
        new RedisOptions { Configuration = $"127.0.0.1:{proxy.Port}", Patience = TimeSpan.FromSeconds(4) }, TimeProvider.System);

    private async Task<FaultProxy> ProxyAsync(StoreKind kind) => new((await stores.ServerAsync(kind)).Port);

    private async Task<RedisConnection> OpenAsync(StoreKind kind) =>
        new(new RedisOptions { Configuration = (await stores.ServerAsync(kind)).Configuration }, TimeProvider.System);
}
