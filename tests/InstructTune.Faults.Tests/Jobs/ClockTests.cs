using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>The worker's wall clock jumps by an hour, back and forth: time is the store's, or monotonic.</summary>
[Trait("fault", "24")]
public sealed class ClockTests(StoreFixture stores)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [EachStore]
    public async Task Wall_clock_that_jumps_changes_nothing(StoreKind kind)
    {
        var server = await stores.ServerAsync(kind);
        var clock = new JumpingClock();
        await using var redis = new RedisConnection(new RedisOptions { Configuration = server.Configuration }, clock);
        var options = new LeaseOptions
        {
            Duration = TimeSpan.FromSeconds(30),
            RenewalInterval = TimeSpan.FromMilliseconds(100),
            PollInterval = TimeSpan.FromMilliseconds(50),
            ReapInterval = TimeSpan.FromMilliseconds(50),
            SweepInterval = TimeSpan.FromMilliseconds(200),
        };
        await using var worker = await RunningWorker.StartAsync(redis, server, stores.NewQueue(), options, new SteppingHandler(), clock: clock);
        var before = TimeProvider.System.GetUtcNow().AddSeconds(-1);
        await worker.CreateAsync("a", Ct);
        var job = await worker.EndedAsync("a", Ct);
        Assert.Equal((JobState.Succeeded, 1, 0), (job.State, job.Attempt, job.Failures));
        var events = (await worker.Calm.ReadEventsAsync("a", 0, 10_000, Ct))!.Entries;
        Assert.All(events, entry => Assert.InRange(entry.Time, before, TimeProvider.System.GetUtcNow().AddSeconds(1)));
        Assert.Equal(events.Select(entry => entry.Time).Order(), events.Select(entry => entry.Time));
        await InvariantChecker.CheckQueueAsync(worker.Calm, Ct);
    }

    // Each look at the wall clock finds it an hour before or after the last.
    private sealed class JumpingClock : TimeProvider
    {
        private int _looks;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddHours(Interlocked.Increment(ref _looks) % 3 - 1);
    }
}
