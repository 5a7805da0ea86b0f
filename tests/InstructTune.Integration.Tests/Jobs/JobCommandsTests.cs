using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

/// <summary>What callers ask of jobs that wait or run: order, pause, a checkpoint now, deletion.</summary>
public sealed class JobCommandsTests(StoreFixture stores)
{
    [Theory]
    [EachStore]
    public async Task Higher_priority_is_taken_first_and_within_one_the_longest_waiting(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        foreach (var (id, priority) in new[]
        {
            ("low", JobPriority.Low), ("first", JobPriority.Normal), ("second", JobPriority.Normal), ("high", JobPriority.High),
        })
        {
            await queue.CreateAsync(id, priority: priority);
        }

        var stats = await queue.Store.StatsAsync(JobQueue.Ct);
        Assert.Equal((1, 2, 1, 4), (stats.QueuedHigh, stats.QueuedNormal, stats.QueuedLow, stats.Jobs));
        var order = new List<string>();
        while (await queue.TryAcquireAsync() is { } job)
        {
            order.Add(job.Id);
        }

        Assert.Equal(["high", "first", "second", "low"], order);
        Assert.Equal((0, 4), ((await queue.Store.StatsAsync(JobQueue.Ct)).Queued, (await queue.Store.StatsAsync(JobQueue.Ct)).Leased));
    }

    [Theory]
    [EachStore]
    public async Task Job_given_back_keeps_its_priority(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.CreateAsync("low", priority: JobPriority.Low);
        await queue.AcquireAsync();
        await queue.CreateAsync("normal");
        await queue.Store.ReleaseAsync("low", 1, ReleaseKind.Preempted, null, ct: JobQueue.Ct);
        Assert.Equal("normal", (await queue.AcquireAsync()).Id);
        Assert.Equal("low", (await queue.AcquireAsync()).Id);
    }

    [Theory]
    [EachStore]
    public async Task Pause_ends_the_job_with_its_cause_and_resume_clears_it(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.RunningAsync("a");
        Assert.Equal(CancelOutcome.Cancelling, await queue.Store.CancelAsync("a", CancelCause.Pause, JobQueue.Ct));
        Assert.Equal(CancelOutcome.Unchanged, await queue.Store.CancelAsync("a", CancelCause.Caller, JobQueue.Ct));
        Assert.Equal(CompleteOutcome.Done, await queue.Store.CompleteCancelledAsync("a", 1, JobQueue.Ct));
        var paused = await queue.GetAsync("a");
        Assert.Equal((JobState.Cancelled, CancelCause.Pause), (paused.State, paused.CancelCause));
        Assert.Contains("paused", paused.Error?.Message, StringComparison.Ordinal);
        Assert.True(await queue.Store.ResumeAsync("a", JobQueue.Ct));
        Assert.Null((await queue.GetAsync("a")).CancelCause);
    }

    [Theory]
    [EachStore]
    public async Task Checkpoint_asked_for_is_told_until_one_is_accepted(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.CreateAsync("a");
        Assert.False(await queue.Store.RequestCheckpointAsync("a", JobQueue.Ct));
        await queue.AcquireAsync();
        Assert.True(await queue.Store.RequestCheckpointAsync("a", JobQueue.Ct));
        Assert.Equal(RenewOutcome.CheckpointAsked, await queue.Store.RenewAsync("a", 1, JobQueue.Lease, JobQueue.Ct));
        Assert.True((await queue.ReportAsync(await queue.GetAsync("a"), 1)).IsCheckpointAsked);
        var saved = await queue.CheckpointAsync(await queue.GetAsync("a"), 2, "", "c", 1);
        Assert.True(saved.IsAccepted);
        Assert.False(saved.IsCheckpointAsked);
        Assert.Equal(RenewOutcome.Extended, await queue.Store.RenewAsync("a", 1, JobQueue.Lease, JobQueue.Ct));
    }

    [Theory]
    [EachStore]
    public async Task Worker_hears_of_a_checkpoint_asked_for_without_waiting_for_a_renewal(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var isRunning = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = WorkerHost.Options;
        (options.Duration, options.RenewalInterval) = (TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(1));
        await using var worker = await WorkerHost.StartAsync(
            queue.Redis,
            queue.Name,
            async (context, _) =>
            {
                isRunning.SetResult();
                await Eventually.HoldsAsync(() => context.IsCheckpointRequested, "the worker hears of it", TimeSpan.FromSeconds(30));
                await context.ReportCheckpointAsync("c", 1);
                return context.IsCheckpointRequested ? "still asked" : "saved";
            },
            options);
        await queue.CreateAsync("a");
        await isRunning.Task.WaitAsync(TimeSpan.FromSeconds(30), JobQueue.Ct);
        Assert.True(await queue.Store.RequestCheckpointAsync("a", JobQueue.Ct));
        Assert.Equal("saved", (await worker.EndedAsync("a")).Result);
    }

    [Theory]
    [EachStore]
    public async Task Only_a_job_that_has_ended_can_be_deleted_and_its_request_id_stays_used(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.Store.CreateAsync(JobQueue.New("a", "r"), JobQueue.Ct);
        Assert.Equal(DeleteOutcome.Refused, await queue.Store.DeleteAsync("a", ct: JobQueue.Ct));
        var read = (await queue.Store.GetAsync("a", JobQueue.Ct))!;
        await queue.Store.CancelAsync("a", ct: JobQueue.Ct);
        Assert.Equal(DeleteOutcome.Changed, await queue.Store.DeleteAsync("a", read.LastSequence, JobQueue.Ct));
        Assert.Equal(DeleteOutcome.Deleted, await queue.Store.DeleteAsync("a", ct: JobQueue.Ct));
        Assert.Equal(DeleteOutcome.NotFound, await queue.Store.DeleteAsync("a", ct: JobQueue.Ct));
        Assert.Null(await queue.Store.GetAsync("a", JobQueue.Ct));
        Assert.Empty((await queue.Store.ListAsync(0, "", JobQueue.Ct)).Items);
        Assert.Equal(new CreateResult(CreateOutcome.SameRequest, "a"), await queue.Store.CreateAsync(JobQueue.New("b", "r"), JobQueue.Ct));
    }
}
