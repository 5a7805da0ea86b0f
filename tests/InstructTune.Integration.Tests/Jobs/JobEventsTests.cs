using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

public sealed class JobEventsTests(StoreFixture stores)
{
    [Theory]
    [EachStore]
    public async Task Follower_sees_every_event_once_in_order_and_ends_after_the_last(StoreKind kind)
    {
        const int Count = 300;
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        var following = CollectAsync(queue.Store, "a", 0);
        for (var number = 1; number <= Count; number++)
        {
            await queue.ReportAsync(job, number, $"event {number}");
        }

        await queue.Store.CompleteSucceededAsync("a", 1, "", "r", JobQueue.Ct);
        var events = await following.WaitAsync(TimeSpan.FromSeconds(30), JobQueue.Ct);
        Assert.Equal(Enumerable.Range(1, Count + 3).Select(sequence => (long)sequence), events.Select(entry => entry.Sequence));
        Assert.Equal(JobState.Succeeded, Assert.IsType<StateChangedBody>(events[^1].Body).To);
    }

    [Theory]
    [EachStore]
    public async Task Follower_goes_on_exactly_after_the_given_sequence(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        for (var number = 1; number <= 5; number++)
        {
            await queue.ReportAsync(job, number);
        }

        await queue.Store.CompleteSucceededAsync("a", 1, "", "r", JobQueue.Ct);
        for (var after = 0; after <= 8; after++)
        {
            var events = await CollectAsync(queue.Store, "a", after);
            Assert.Equal(Enumerable.Range(after + 1, 8 - after).Select(sequence => (long)sequence), events.Select(entry => entry.Sequence));
        }
    }

    [Theory]
    [EachStore]
    public async Task Follower_of_a_resumed_job_passes_its_earlier_end(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.RunningAsync("a");
        await queue.Store.CompleteFailedAsync("a", 1, new JobFault("DATA_INVALID", "Bad."), JobQueue.Ct);
        await queue.Store.ResumeAsync("a", JobQueue.Ct);
        var following = CollectAsync(queue.Store, "a", 0);
        await queue.AcquireAsync();
        await queue.Store.CompleteSucceededAsync("a", 2, "", "r", JobQueue.Ct);
        Assert.Equal(6, (await following.WaitAsync(TimeSpan.FromSeconds(30), JobQueue.Ct)).Count);
    }

    [Theory]
    [EachStore]
    public async Task Silence_is_answered_with_caught_up(StoreKind kind)
    {
        var options = new LeaseOptions { CaughtUpInterval = TimeSpan.FromMilliseconds(100), PollInterval = TimeSpan.FromMilliseconds(20) };
        var queue = await JobQueue.OpenAsync(stores, kind, options);
        await queue.CreateAsync("a");
        using var signals = new JobSignals(queue.Store, TimeProvider.System);
        var events = new JobEvents(queue.Store, signals, options, TimeProvider.System);
        var seen = new List<long?>();
        await foreach (var entry in events.FollowAsync("a", 0, JobQueue.Ct))
        {
            seen.Add(entry?.Sequence);
            if (seen.Count == 3)
            {
                break;
            }
        }

        Assert.Equal([1L, null, null], seen);
    }

    [Theory]
    [EachStore]
    public async Task Old_events_are_trimmed_and_asking_for_them_names_the_oldest(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind, new LeaseOptions { EventsKept = 10 });
        var job = await queue.RunningAsync("a");
        for (var number = 1; number <= 30; number++)
        {
            await queue.ReportAsync(job, number);
        }

        var record = await queue.GetAsync("a");
        Assert.Equal((23L, 32L), (record.FirstSequence, record.LastSequence));
        var trimmed = await Assert.ThrowsAsync<EventsTrimmedException>(() => queue.Store.ReadEventsAsync("a", 21, 100, JobQueue.Ct));
        Assert.Equal(23, trimmed.OldestSequence);
        var page = await queue.Store.ReadEventsAsync("a", 22, 100, JobQueue.Ct);
        Assert.Equal(Enumerable.Range(23, 10).Select(sequence => (long)sequence), page!.Entries.Select(entry => entry.Sequence));
        await InvariantChecker.CheckQueueAsync(queue.Store, JobQueue.Ct);
    }

    [Theory]
    [EachStore]
    public async Task Unknown_job_cannot_be_followed(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await Assert.ThrowsAsync<JobNotFoundException>(() => CollectAsync(queue.Store, "none", 0));
    }

    private static async Task<IReadOnlyList<JobEventEntry>> CollectAsync(JobStore store, string id, long after)
    {
        var events = new List<JobEventEntry>();
        await foreach (var entry in new JobEvents(store).FollowAsync(id, after, JobQueue.Ct))
        {
            if (entry is not null)
            {
                events.Add(entry);
            }
        }

        return events;
    }
}
