using InstructTune.Jobs;
using InstructTune.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace InstructTune.Integration.Tests.Jobs;

/// <summary>Records that a store recovered in part, as Garnet does from a log that was cut in the middle of a script.</summary>
public sealed class DamagedRecordTests(StoreFixture stores) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("lost event")]
    [InlineData("lost state")]
    [InlineData("lost spec")]
    [InlineData("result without success")]
    [InlineData("lost place in the list")]
    public async Task Record_that_does_not_fit_its_events_is_made_anew_from_the_archive(string damage)
    {
        var queue = await JobQueue.OpenAsync(stores, StoreKind.Redis);
        var archive = new JobArchive(_folder.Path, TimeProvider.System);
        var store = new JobStore(queue.Redis, queue.Name) { Archive = archive };
        await store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        await store.CreateAsync(JobQueue.New("whole"), JobQueue.Ct);
        var job = (await store.AcquireAsync("w", "n", JobQueue.Lease, JobQueue.Ct))!;
        Assert.True(archive.TryClaim(job));
        var archiver = new JobArchiver(store, archive, NullLogger.Instance);
        await archiver.KeepAsync(JobQueue.Ct);
        Assert.Equal(0, await archiver.RestoreAsync(JobQueue.Ct));

        var record = $"it:{{{queue.Name}}}:job:a";
        await queue.Redis.ExecuteAsync(
            async database => damage switch
            {
                "lost event" => (await database.ListRightPopAsync($"it:{{{queue.Name}}}:events:a")).HasValue,
                "lost state" => await database.HashSetAsync(record, "state", "SUCCEEDED"),
                "lost place in the list" => await database.SortedSetRemoveAsync($"it:{{{queue.Name}}}:index", "a"),
                "result without success" => await database.HashSetAsync(record, "result", "r") || true,
                _ => await database.HashDeleteAsync(record, "spec"),
            },
            JobQueue.Ct);
        Assert.Equal(1, await archiver.RestoreAsync(JobQueue.Ct));
        Assert.Equal(2, (await InvariantChecker.CheckQueueAsync(store, JobQueue.Ct)).Count);
        Assert.Equal((JobState.Queued, 1), ((await store.GetAsync("a", JobQueue.Ct))!.State, (await store.GetAsync("a", JobQueue.Ct))!.Attempt));
        Assert.Equal(RenewOutcome.Fenced, await store.RenewAsync("a", 1, JobQueue.Lease, JobQueue.Ct));
        Assert.Equal(["whole", "a"], new[] { (await queue.AcquireAsync()).Id, (await queue.AcquireAsync()).Id });
    }
}
