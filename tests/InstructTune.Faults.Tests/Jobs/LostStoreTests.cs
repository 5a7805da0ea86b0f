using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>The store is wiped, or comes back half empty: the archive rebuilds it.</summary>
[Trait("fault", "28")]
public sealed class LostStoreTests(StoreFixture stores) : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [EachStore]
    public async Task Wiped_store_gets_every_acknowledged_job_back_in_its_state(StoreKind kind)
    {
        var (store, archive, redis) = await OpenAsync(kind);
        await FillAsync(store);
        var archiver = new JobArchiver(store, archive, NullLogger.Instance);
        await archiver.KeepAsync(Ct);
        // Asked to stop, and the store was lost before the worker heard of it.
        await store.CancelAsync("cancelling", CancelCause.Pause, Ct);
        var before = await InvariantChecker.CheckQueueAsync(store, Ct);
        await WipeAsync(redis, store.Queue);

        Assert.Equal(before.Count, await archiver.RestoreAsync(Ct));
        Assert.Equal(0, await archiver.RestoreAsync(Ct));
        var after = await InvariantChecker.CheckQueueAsync(store, Ct);
        Assert.Equal(before.Select(job => job.Id).Order(StringComparer.Ordinal), after.Select(job => job.Id).Order(StringComparer.Ordinal));
        foreach (var job in after)
        {
            var was = before.Single(other => other.Id == job.Id);
            var expected = was.State switch
            {
                JobState.Running => JobState.Queued,
                JobState.Cancelling => JobState.Cancelled,
                var state => state,
            };
            Assert.Equal(
                (job.Id, expected, was.Result, was.State == JobState.Cancelling ? JobFault.CancelledByCaller : was.Error?.Reason, was.Spec, was.Priority, was.CancelCause),
                (job.Id, job.State, job.Result, job.Error?.Reason, job.Spec, job.Priority, job.CancelCause));
            Assert.Equal(was.Attempt, job.Attempt);
            // No sequence names two events; a job of which nobody can have seen more than its creation begins again.
            Assert.True(job.FirstSequence > was.LastSequence || was.Attempt == 0, job.Id);
        }

        // The request ids are back too.
        Assert.Equal(new CreateResult(CreateOutcome.SameRequest, "queued"), await store.CreateAsync(New("queued"), Ct));
        Assert.Equal(CreateOutcome.RequestReused, (await store.CreateAsync(New("queued") with { BodySha256 = "other" }, Ct)).Outcome);
    }

    [Theory]
    [EachStore]
    public async Task Jobs_that_a_half_empty_store_forgot_come_back_and_the_others_stay_as_they_are(StoreKind kind)
    {
        var (store, archive, redis) = await OpenAsync(kind);
        await FillAsync(store);
        var archiver = new JobArchiver(store, archive, NullLogger.Instance);
        await archiver.KeepAsync(Ct);
        var before = await InvariantChecker.CheckQueueAsync(store, Ct);
        await redis.ExecuteAsync(database => database.KeyDeleteAsync([$"it:{{{store.Queue}}}:job:running", $"it:{{{store.Queue}}}:pending"]), Ct);
        Assert.Equal(1, await archiver.RestoreAsync(Ct));
        await store.ReapAsync(sweep: true, Ct);
        var after = await InvariantChecker.CheckQueueAsync(store, Ct);
        Assert.Equal(before.Count, after.Count);
        Assert.All(after.Where(job => job.Id != "running"), job => Assert.Equal(before.Single(other => other.Id == job.Id).State, job.State));
        // The holder of the forgotten job is a stranger to the one that came back.
        Assert.Equal(RenewOutcome.Fenced, await store.RenewAsync("running", 1, Lease, Ct));
        var acquired = new List<string>();
        while (await store.AcquireAsync("w", "n", Lease, Ct) is { } job)
        {
            acquired.Add($"{job.Id} {job.Attempt}");
        }

        Assert.Equal(["queued 1", "running 2"], acquired.Order(StringComparer.Ordinal));
    }

    [Theory]
    [EachStore]
    public async Task Worker_whose_store_is_wiped_stops_and_the_rebuilt_job_is_done_by_a_greater_attempt(StoreKind kind)
    {
        var server = await stores.ServerAsync(kind);
        await using var redis = new RedisConnection(new RedisOptions { Configuration = server.Configuration }, TimeProvider.System);
        var archive = new JobArchive(_folder.Path, TimeProvider.System);
        var steps = new SteppingHandler();
        var options = new LeaseOptions
        {
            Duration = TimeSpan.FromSeconds(30),
            RenewalInterval = TimeSpan.FromMilliseconds(300),
            PollInterval = TimeSpan.FromMilliseconds(50),
            ReapInterval = TimeSpan.FromMilliseconds(100),
            SweepInterval = TimeSpan.FromMilliseconds(500),
            RetryUnit = TimeSpan.FromMilliseconds(10),
        };
        await using var worker = await RunningWorker.StartAsync(redis, server, stores.NewQueue(), options, steps, archive);
        await worker.CreateAsync("a", Ct);
        await steps.ReachesAsync(5, Ct);
        await WipeAsync(redis, worker.Calm.Queue);
        Assert.Equal(StopReason.LeaseLost, await steps.Stopped.Task.WaitAsync(TimeSpan.FromSeconds(30), Ct));
        var job = await worker.EndedAsync("a", Ct);
        Assert.Equal(JobState.Succeeded, job.State);
        Assert.True(job.Attempt > 1, "The rebuilt job had an old attempt's number.");
        await InvariantChecker.CheckQueueAsync(worker.Calm, Ct);
        // The archive has what happened on both sides of the loss, each sequence once.
        var history = (await worker.Calm.ReadHistoryAsync("a", Ct))!;
        Assert.Equal(history.Select(entry => entry.Sequence).Distinct().Order(), history.Select(entry => entry.Sequence));
        Assert.Equal(JobState.Succeeded, Assert.IsType<StateChangedBody>(history[^1].Body).To);
    }

    [Fact]
    public void Attempt_number_can_be_taken_once()
    {
        var archive = new JobArchive(_folder.Path, TimeProvider.System);
        var job = new JobRecord { Id = "a", State = JobState.Running, Attempt = 3 };
        Assert.True(archive.TryClaim(job));
        Assert.False(archive.TryClaim(job));
        Assert.True(archive.TryClaim(job with { Attempt = 4 }));
    }

    // One job in every state there is.
    private static async Task FillAsync(JobStore store)
    {
        foreach (var id in new[] { "succeeded", "failed", "running", "cancelling" })
        {
            await store.CreateAsync(New(id), Ct);
            var job = (await store.AcquireAsync("w", "n", Lease, Ct))!;
            Assert.True(store.Archive!.TryClaim(job));
        }

        await store.CompleteSucceededAsync("succeeded", 1, "", "the result", Ct);
        await store.CompleteFailedAsync("failed", 1, new JobFault("DATA_INVALID", "Row 3 is empty."), Ct);
        await store.CreateAsync(New("cancelled"), Ct);
        await store.CancelAsync("cancelled", ct: Ct);
        await store.CreateAsync(New("queued"), Ct);
    }

    private static NewJob New(string id) => new()
    {
        Id = id, Spec = "{}", SpecSha256 = "s", RequestId = "request-" + id, BodySha256 = "b", Priority = id == "queued" ? JobPriority.Low : JobPriority.Normal,
    };

    private static Task WipeAsync(RedisConnection redis, string queue) => redis.ExecuteAsync(
        async database =>
        {
            var keys = database.Multiplexer.GetServers()[0].Keys(pattern: $"it:{{{queue}}}:*").ToArray();
            Assert.NotEmpty(keys);
            return await database.KeyDeleteAsync(keys);
        },
        Ct);

    private async Task<(JobStore Store, JobArchive Archive, RedisConnection Redis)> OpenAsync(StoreKind kind)
    {
        var archive = new JobArchive(_folder.Path, TimeProvider.System);
        var redis = await stores.ConnectionAsync(kind);
        return (new JobStore(redis, stores.NewQueue()) { Archive = archive }, archive, redis);
    }
}
