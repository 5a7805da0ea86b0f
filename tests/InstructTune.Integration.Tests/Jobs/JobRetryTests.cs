using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

public sealed class JobRetryTests(StoreFixture stores)
{
    private static readonly JobFault Fault = new("INTERNAL", "The disk went away.", new Dictionary<string, string> { ["disk"] = "sda" });

    [Theory]
    [EachStore]
    public async Task Preempted_job_goes_to_the_front_and_counts_nothing(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.RunningAsync("a");
        await queue.CreateAsync("b");
        Assert.Equal(ReleaseOutcome.Queued, await queue.Store.ReleaseAsync("a", 1, ReleaseKind.Preempted, null, ct: JobQueue.Ct));
        var again = await queue.AcquireAsync();
        Assert.Equal(("a", 2, 0), (again.Id, again.Attempt, again.Failures));
    }

    [Theory]
    [EachStore]
    public async Task Counted_fault_waits_before_the_retry(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind, new LeaseOptions { RetryUnit = TimeSpan.FromHours(1) });
        await queue.RunningAsync("a");
        Assert.Equal(ReleaseOutcome.Queued, await queue.Store.ReleaseAsync("a", 1, ReleaseKind.Infrastructure, Fault, ct: JobQueue.Ct));
        Assert.Equal(0, await queue.Store.ReapAsync(sweep: true, JobQueue.Ct));
        Assert.Null(await queue.TryAcquireAsync());
        Assert.Equal(1, (await queue.GetAsync("a")).Failures);
    }

    [Theory]
    [EachStore]
    public async Task Fault_on_every_attempt_fails_the_job_at_the_limit(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.CreateAsync("a", maxAttempts: 3);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Equal(attempt, (await queue.AcquireAsync()).Attempt);
            var outcome = await queue.Store.ReleaseAsync("a", attempt, ReleaseKind.Infrastructure, Fault, ct: JobQueue.Ct);
            Assert.Equal(attempt < 3 ? ReleaseOutcome.Queued : ReleaseOutcome.Failed, outcome);
            await queue.Store.ReapAsync(sweep: false, JobQueue.Ct);
        }

        var error = (await queue.GetAsync("a")).Error;
        Assert.Equal(JobFault.AttemptsExhausted, error?.Reason);
        Assert.Contains("The disk went away.", error?.Message, StringComparison.Ordinal);
        Assert.Equal("INTERNAL", error?.Metadata["last_reason"]);
    }

    [Theory]
    [EachStore]
    public async Task Checkpoint_between_faults_starts_the_count_again(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.CreateAsync("a", maxAttempts: 2);
        for (var attempt = 1; attempt <= 6; attempt++)
        {
            var job = await queue.AcquireAsync(JobQueue.Expired);
            await queue.CheckpointAsync(job, 1, job.Checkpoint, $"c{attempt}", attempt);
            await queue.Store.ReapAsync(sweep: false, JobQueue.Ct);
            Assert.Equal(JobState.Queued, (await queue.GetAsync("a")).State);
        }
    }

    [Theory]
    [EachStore]
    public async Task Lost_worker_on_every_attempt_fails_the_job(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.CreateAsync("poison", maxAttempts: 5);
        await queue.CreateAsync("behind");
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            Assert.Equal("poison", (await queue.AcquireAsync(JobQueue.Expired)).Id);
            Assert.Equal(1, await queue.Store.ReapAsync(sweep: false, JobQueue.Ct));
        }

        var record = await queue.GetAsync("poison");
        Assert.Equal((JobState.Failed, JobFault.AttemptsExhausted), (record.State, record.Error?.Reason));
        Assert.Equal("behind", (await queue.AcquireAsync()).Id);
    }

    [Theory]
    [EachStore]
    public async Task Out_of_memory_is_tried_again_once(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var memory = new JobFault(JobFault.DeviceOutOfMemory, "Too large.");
        await queue.RunningAsync("a");
        Assert.Equal(ReleaseOutcome.Queued, await queue.Store.ReleaseAsync("a", 1, ReleaseKind.OutOfMemory, memory, ct: JobQueue.Ct));
        await queue.Store.ReapAsync(sweep: false, JobQueue.Ct);
        Assert.Equal(1, (await queue.AcquireAsync()).OutOfMemoryRetries);
        Assert.Equal(ReleaseOutcome.Failed, await queue.Store.ReleaseAsync("a", 2, ReleaseKind.OutOfMemory, memory, ct: JobQueue.Ct));
        Assert.Equal(JobFault.DeviceOutOfMemory, (await queue.GetAsync("a")).Error?.Reason);
    }
}
