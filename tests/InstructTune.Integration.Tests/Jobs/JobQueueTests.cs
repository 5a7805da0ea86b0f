using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

public sealed class JobQueueTests(StoreFixture stores)
{
    private static readonly JobFault Fault = new("INTERNAL", "The disk went away.", new Dictionary<string, string> { ["disk"] = "sda" });

    [Theory]
    [EachStore]
    public async Task Excluded_node_leaves_the_job_to_another_and_keeps_the_order(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.RunningAsync("a");
        await queue.Store.ReleaseAsync("a", 1, ReleaseKind.Infrastructure, Fault, "node", JobQueue.Ct);
        await queue.Store.ReapAsync(sweep: false, JobQueue.Ct);
        Assert.Null(await queue.TryAcquireAsync(node: "other-queue-member") is { Id: not "a" } ? "wrong" : null);
        await queue.Store.ReleaseAsync("a", 2, ReleaseKind.Preempted, null, ct: JobQueue.Ct);
        await queue.CreateAsync("b");
        Assert.Equal("b", (await queue.AcquireAsync()).Id);
        Assert.Equal("a", (await queue.TryAcquireAsync(node: "other-queue-member"))?.Id);
    }

    [Theory]
    [EachStore]
    public async Task Only_worker_ignores_its_exclusion(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.RunningAsync("a");
        await queue.Store.ReleaseAsync("a", 1, ReleaseKind.Infrastructure, Fault, "node", JobQueue.Ct);
        await queue.Store.ReapAsync(sweep: false, JobQueue.Ct);
        Assert.Equal("a", (await queue.AcquireAsync()).Id);
    }

    [Theory]
    [EachStore]
    public async Task Lost_and_repeated_queue_entries_change_nothing(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var pending = $"it:{{{queue.Name}}}:pending";
        await queue.CreateAsync("a");
        await queue.Redis.ExecuteAsync(database => database.ListRightPopAsync(pending), JobQueue.Ct);
        Assert.Null(await queue.TryAcquireAsync());
        Assert.Equal(1, await queue.Store.ReapAsync(sweep: true, JobQueue.Ct));
        await queue.Redis.ExecuteAsync(database => database.ListRightPushAsync(pending, "a"), JobQueue.Ct);
        await queue.Redis.ExecuteAsync(database => database.ListRightPushAsync(pending, "a"), JobQueue.Ct);
        Assert.Equal("a", (await queue.AcquireAsync()).Id);
        Assert.Null(await queue.TryAcquireAsync());
    }

    [Theory]
    [EachStore]
    public async Task Running_job_without_a_lease_is_found_by_the_sweep(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.RunningAsync("a");
        await queue.Redis.ExecuteAsync(database => database.SortedSetRemoveAsync($"it:{{{queue.Name}}}:leases", "a"), JobQueue.Ct);
        await queue.Store.ReapAsync(sweep: true, JobQueue.Ct);
        await queue.Store.ReapAsync(sweep: false, JobQueue.Ct);
        Assert.Equal(2, (await queue.AcquireAsync()).Attempt);
    }

    [Theory]
    [EachStore]
    public async Task List_is_newest_first_and_stable_while_jobs_are_created(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await Task.WhenAll(Enumerable.Range(0, 25).Select(number => queue.CreateAsync($"j{number}")));
        var seen = new List<string>();
        var token = "";
        do
        {
            var page = await queue.Store.ListAsync(10, token, JobQueue.Ct);
            Assert.True(page.Items.Count <= 10);
            seen.AddRange(page.Items.Select(job => job.Id));
            token = page.NextPageToken;
            await queue.CreateAsync($"late{seen.Count}");
        }
        while (token.Length > 0);

        Assert.Equal(25, seen.Count);
        Assert.Equal(25, seen.Distinct().Count());
        Assert.DoesNotContain(seen, id => id.StartsWith("late", StringComparison.Ordinal));
        Assert.StartsWith("late", (await queue.Store.ListAsync(1, "", JobQueue.Ct)).Items[0].Id, StringComparison.Ordinal);
    }
}
