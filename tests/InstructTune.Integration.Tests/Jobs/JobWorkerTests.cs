using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

public sealed class JobWorkerTests(StoreFixture stores)
{
    private static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>();

    [Theory]
    [EachStore]
    public async Task Worker_runs_a_job_and_publishes_its_result(StoreKind kind)
    {
        await using var host = await StartAsync(kind, async (context, _) =>
        {
            await context.ReportAsync(new PhaseBody("training"), 0);
            await context.ReportCheckpointAsync("c1", 10);
            await context.ReportAsync(new NoticeBody("NOTE", context.Job.Spec, Nothing), 0.5);
            return "result";
        });
        await host.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        var job = await host.EndedAsync("a");
        Assert.Equal((JobState.Succeeded, "result", "c1", 10L), (job.State, job.Result, job.Checkpoint, job.Step));
        Assert.Equal(6, job.LastSequence);
        await InvariantChecker.CheckQueueAsync(host.Store, JobQueue.Ct);
    }

    [Theory]
    [EachStore]
    public async Task Cancel_stops_the_work_long_before_the_next_renewal(StoreKind kind)
    {
        var options = WorkerHost.Options;
        options.Duration = TimeSpan.FromMinutes(10);
        options.RenewalInterval = TimeSpan.FromMinutes(4);
        var started = new TaskCompletionSource();
        await using var host = await StartAsync(kind, (_, ct) => WaitAsync(started, ct), options);
        await host.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        await started.Task.WaitAsync(JobQueue.Ct);
        Assert.Equal(CancelOutcome.Cancelling, await host.Store.CancelAsync("a", ct: JobQueue.Ct));
        var job = await host.EndedAsync("a").WaitAsync(TimeSpan.FromSeconds(30), JobQueue.Ct);
        Assert.Equal(JobState.Cancelled, job.State);
    }

    [Theory]
    [EachStore]
    public async Task Work_that_ends_in_the_moment_of_a_cancel_publishes_nothing(StoreKind kind)
    {
        JobStore? store = null;
        await using var host = await StartAsync(kind, async (context, _) =>
        {
            await store!.CancelAsync(context.Job.Id, ct: CancellationToken.None);
            return "result";
        });
        store = host.Store;
        await host.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        var job = await host.EndedAsync("a");
        Assert.Equal((JobState.Cancelled, ""), (job.State, job.Result));
    }

    [Theory]
    [EachStore]
    public async Task Stopping_the_process_saves_a_checkpoint_and_gives_the_job_to_the_next(StoreKind kind)
    {
        var queue = stores.NewQueue();
        var redis = await stores.ConnectionAsync(kind);
        var started = new TaskCompletionSource();
        await using var first = await WorkerHost.StartAsync(redis, queue, async (context, ct) =>
        {
            try
            {
                return await WaitAsync(started, ct);
            }
            catch (OperationCanceledException)
            {
                Assert.Equal(StopReason.Preempt, context.Stop);
                await context.ReportCheckpointAsync("saved", 7);
                throw;
            }
        });
        await first.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        await started.Task.WaitAsync(JobQueue.Ct);
        await first.StopAsync();
        await using var second = await WorkerHost.StartAsync(redis, queue, (context, _) => Task.FromResult($"from {context.Job.Checkpoint}"));
        var job = await second.EndedAsync("a");
        Assert.Equal((JobState.Succeeded, "from saved", 2, 0), (job.State, job.Result, job.Attempt, job.Failures));
    }

    [Theory]
    [EachStore]
    public async Task Unexpected_fault_is_tried_again_and_gives_up_at_the_limit(StoreKind kind)
    {
        var attempts = 0;
        await using var host = await StartAsync(kind, (_, _) => throw new IOException($"Fault {++attempts}."));
        await host.Store.CreateAsync(JobQueue.New("a", maxAttempts: 3), JobQueue.Ct);
        var job = await host.EndedAsync("a");
        Assert.Equal((JobState.Failed, JobFault.AttemptsExhausted, 3), (job.State, job.Error?.Reason, attempts));
        Assert.DoesNotContain("Fault 3", job.Error?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [EachStore]
    public async Task Callers_fault_is_not_tried_again(StoreKind kind)
    {
        var attempts = 0;
        var fault = new JobFault("TRAINING_DIVERGED", "The loss at step 3 is not finite.", new Dictionary<string, string> { ["step"] = "3" });
        await using var host = await StartAsync(kind, (_, _) =>
        {
            attempts++;
            throw new JobFailedException(fault);
        });
        await host.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        var job = await host.EndedAsync("a");
        Assert.Equal((JobState.Failed, 1), (job.State, attempts));
        Assert.Equivalent(fault, job.Error);
    }

    [Theory]
    [EachStore]
    public async Task Memory_fault_is_tried_again_once_and_the_handler_can_see_it(StoreKind kind)
    {
        var seen = new List<int>();
        await using var host = await StartAsync(kind, (context, _) =>
        {
            seen.Add(context.Job.OutOfMemoryRetries);
            throw new JobOutOfMemoryException(new JobFault(JobFault.DeviceOutOfMemory, "Too large."));
        });
        await host.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        var job = await host.EndedAsync("a");
        Assert.Equal(JobFault.DeviceOutOfMemory, job.Error?.Reason);
        Assert.Equal([0, 1], seen);
    }

    [Theory]
    [EachStore]
    public async Task Worker_whose_job_was_taken_away_is_told_and_publishes_nothing(StoreKind kind)
    {
        var queue = stores.NewQueue();
        var redis = await stores.ConnectionAsync(kind);
        var started = new TaskCompletionSource();
        var stop = new TaskCompletionSource<StopReason>();
        await using var host = await WorkerHost.StartAsync(redis, queue, async (context, ct) =>
        {
            if (context.Job.Attempt > 1)
            {
                return "successor";
            }

            try
            {
                return await WaitAsync(started, ct);
            }
            finally
            {
                stop.TrySetResult(context.Stop);
            }
        });
        await host.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        await started.Task.WaitAsync(JobQueue.Ct);
        // The lease is made to have run out, as when the process was frozen; the reaper takes the job.
        await redis.ExecuteAsync(database => database.SortedSetAddAsync($"it:{{{queue}}}:leases", "a", 1), JobQueue.Ct);
        Assert.Equal(StopReason.LeaseLost, await stop.Task.WaitAsync(TimeSpan.FromSeconds(30), JobQueue.Ct));
        var job = await host.EndedAsync("a");
        Assert.Equal(("successor", 2, 1), (job.Result, job.Attempt, job.Failures));
        await InvariantChecker.CheckQueueAsync(host.Store, JobQueue.Ct);
    }

    [Theory]
    [EachStore]
    public async Task Hung_work_loses_its_lease_although_the_worker_lives(StoreKind kind)
    {
        var options = WorkerHost.Options;
        options.StallLimit = TimeSpan.FromMilliseconds(200);
        options.Duration = TimeSpan.FromSeconds(1);
        options.RenewalInterval = TimeSpan.FromMilliseconds(100);
        var started = new TaskCompletionSource();
        await using var host = await StartAsync(
            kind, (context, ct) => context.Job.Attempt > 1 ? Task.FromResult("successor") : WaitAsync(started, ct), options);
        await host.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        var job = await host.EndedAsync("a").WaitAsync(TimeSpan.FromSeconds(30), JobQueue.Ct);
        Assert.Equal(("successor", 2), (job.Result, job.Attempt));
    }

    [Theory]
    [EachStore]
    public async Task Long_work_keeps_its_lease(StoreKind kind)
    {
        var options = WorkerHost.Options;
        options.Duration = TimeSpan.FromSeconds(2);
        options.RenewalInterval = TimeSpan.FromMilliseconds(200);
        await using var host = await StartAsync(
            kind,
            async (context, ct) =>
            {
                await Task.Delay(options.Duration * 2, TimeProvider.System, ct);
                return $"attempt {context.Job.Attempt}";
            },
            options);
        await host.Store.CreateAsync(JobQueue.New("a"), JobQueue.Ct);
        Assert.Equal("attempt 1", (await host.EndedAsync("a")).Result);
    }

    private static async Task<string> WaitAsync(TaskCompletionSource started, CancellationToken ct)
    {
        started.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        return "";
    }

    private async Task<WorkerHost> StartAsync(
        StoreKind kind, Func<JobContext, CancellationToken, Task<string>> work, LeaseOptions? options = null) =>
        await WorkerHost.StartAsync(await stores.ConnectionAsync(kind), stores.NewQueue(), work, options);
}
