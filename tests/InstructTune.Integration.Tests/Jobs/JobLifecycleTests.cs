using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

public sealed class JobLifecycleTests(StoreFixture stores)
{
    private static readonly JobFault Fault = new("INTERNAL", "The disk went away.", new Dictionary<string, string> { ["disk"] = "sda" });

    [Theory]
    [EachStore]
    public async Task Created_job_is_queued_with_every_field_and_its_first_event(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        Assert.Equal(new CreateResult(CreateOutcome.Created, "a"), await queue.CreateAsync("a"));

        var job = await queue.GetAsync("a");
        Assert.Equal(JobState.Queued, job.State);
        Assert.Equal((0, 0, 5), (job.Attempt, job.Failures, job.MaxAttempts));
        Assert.Equal(("{\"job\":\"a\"}", "s", "00-trace"), (job.Spec, job.SpecSha256, job.TraceParent));
        Assert.Equal(("", -1L, "", 0.0), (job.Checkpoint, job.Step, job.Result, job.Progress));
        Assert.Equal((1L, 1L), (job.FirstSequence, job.LastSequence));
        Assert.Null(job.Error);
        Assert.Null(job.Started);
        Assert.Null(job.Ended);
        Assert.True(TimeProvider.System.GetUtcNow() - job.Created < TimeSpan.FromMinutes(1));
        Assert.Equal("Queued", await queue.ChainAsync("a"));
    }

    [Theory]
    [EachStore]
    public async Task Unknown_job_is_null(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        Assert.Null(await queue.Store.GetAsync("none", JobQueue.Ct));
        Assert.Null(await queue.Store.ReadEventsAsync("none", 0, 10, JobQueue.Ct));
        Assert.Equal(CancelOutcome.Unchanged, await queue.Store.CancelAsync("none", ct: JobQueue.Ct));
        Assert.False(await queue.Store.ResumeAsync("none", JobQueue.Ct));
        Assert.Null(await queue.TryAcquireAsync());
    }

    [Theory]
    [EachStore]
    public async Task Request_seen_before_returns_the_first_job(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.Store.CreateAsync(JobQueue.New("a", "r", "same"), JobQueue.Ct);
        Assert.Equal(
            new CreateResult(CreateOutcome.SameRequest, "a"), await queue.Store.CreateAsync(JobQueue.New("b", "r", "same"), JobQueue.Ct));
        Assert.Equal(
            new CreateResult(CreateOutcome.RequestReused, "a"), await queue.Store.CreateAsync(JobQueue.New("b", "r", "other"), JobQueue.Ct));
        Assert.Null(await queue.Store.GetAsync("b", JobQueue.Ct));
    }

    [Theory]
    [EachStore]
    public async Task Taken_id_is_refused(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.CreateAsync("a");
        Assert.Equal(new CreateResult(CreateOutcome.IdTaken, "a"), await queue.CreateAsync("a"));
        Assert.Equal(1, (await queue.GetAsync("a")).LastSequence);
    }

    [Theory]
    [EachStore]
    public async Task Same_request_sent_many_times_at_once_makes_one_job(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            number => queue.Store.CreateAsync(JobQueue.New($"j{number}", "r", "same"), JobQueue.Ct)));
        Assert.Single(answers, answer => answer.Outcome == CreateOutcome.Created);
        Assert.Single(answers.Select(answer => answer.Id).Distinct());
        Assert.Single((await queue.Store.ListAsync(0, "", JobQueue.Ct)).Items);
    }

    [Theory]
    [EachStore]
    public async Task Acquire_takes_the_oldest_and_counts_the_attempt(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.CreateAsync("a");
        await queue.CreateAsync("b");
        var job = await queue.AcquireAsync();
        Assert.Equal(("a", 1, JobState.Running, "worker"), (job.Id, job.Attempt, job.State, job.Owner));
        Assert.NotNull(job.Started);
        Assert.Equal("b", (await queue.AcquireAsync()).Id);
        Assert.Null(await queue.TryAcquireAsync());
    }

    [Theory]
    [EachStore]
    public async Task Renew_after_another_attempt_started_is_refused(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var first = await queue.RunningAsync("a", JobQueue.Expired);
        await queue.Store.ReapAsync(sweep: false, JobQueue.Ct);
        var second = await queue.AcquireAsync();
        Assert.Equal(2, second.Attempt);
        Assert.Equal(RenewOutcome.Fenced, await queue.Store.RenewAsync("a", first.Attempt, JobQueue.Lease, JobQueue.Ct));
        Assert.Equal(RenewOutcome.Extended, await queue.Store.RenewAsync("a", second.Attempt, JobQueue.Lease, JobQueue.Ct));
        Assert.True((await queue.ReportAsync(first, 1)).IsFenced);
        Assert.True((await queue.CheckpointAsync(first, 2, "", "c", 1)).IsFenced);
        Assert.Equal(CompleteOutcome.Fenced, await queue.Store.CompleteSucceededAsync("a", first.Attempt, "", "r", JobQueue.Ct));
        Assert.Equal(
            ReleaseOutcome.Fenced, await queue.Store.ReleaseAsync("a", first.Attempt, ReleaseKind.Infrastructure, Fault, ct: JobQueue.Ct));
    }

    [Theory]
    [EachStore]
    public async Task Expired_lease_admits_reports_and_completion_but_no_renewal(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a", JobQueue.Expired);
        Assert.Equal(RenewOutcome.Fenced, await queue.Store.RenewAsync("a", 1, JobQueue.Lease, JobQueue.Ct));
        Assert.Equal(3, (await queue.ReportAsync(job, 1)).Sequence);
        Assert.Equal(CompleteOutcome.Done, await queue.Store.CompleteSucceededAsync("a", 1, "", "r", JobQueue.Ct));
    }

    [Theory]
    [EachStore]
    public async Task Report_sent_twice_is_written_once(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        await queue.ReportAsync(job, 1);
        await queue.ReportAsync(job, 1);
        Assert.Equal(4, (await queue.ReportAsync(job, 2)).Sequence);
        Assert.Equal([1, 2, 3, 4], (await queue.EventsAsync("a")).Select(entry => entry.Sequence));
        Assert.Equal(0.25, (await queue.GetAsync("a")).Progress);
    }

    [Theory]
    [EachStore]
    public async Task Events_come_back_as_they_were_reported(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        JobEventBody[] bodies =
        [
            new StageBody("generalist", 30, 1000),
            new PhaseBody("training"),
            new MetricsBody(3, 30, "generalist", new Dictionary<string, double> { ["training_loss"] = 2.5, ["gradient_norm"] = double.NaN }),
            new NoticeBody("NO_TRAINED_TOKEN", "3 rows | \"quoted\" > \u00fc", new Dictionary<string, string> { ["count"] = "3" }),
        ];
        for (var number = 0; number < bodies.Length; number++)
        {
            await queue.Store.ReportAsync(new JobReport { Id = "a", Attempt = job.Attempt, Number = number + 1, Body = bodies[number] }, JobQueue.Ct);
        }

        var events = (await queue.EventsAsync("a")).Skip(2).ToArray();
        Assert.Equal(bodies.Select(body => body.GetType()), events.Select(entry => entry.Body.GetType()));
        Assert.Equal(bodies[0], events[0].Body);
        Assert.Equivalent(bodies[2], events[2].Body);
        Assert.Equivalent(bodies[3], events[3].Body);
        Assert.All(events, entry => Assert.Equal(1, entry.Attempt));
        Assert.Equal("training", (await queue.GetAsync("a")).Phase);
    }

    [Theory]
    [EachStore]
    public async Task Checkpoint_moves_forward_only_from_the_expected_one(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        Assert.True((await queue.CheckpointAsync(job, 1, "", "c1", 10)).IsAccepted);
        Assert.Equal(-2, (await queue.CheckpointAsync(job, 2, "", "c2", 20)).Sequence);
        Assert.Equal(-2, (await queue.CheckpointAsync(job, 2, "c1", "c2", 10)).Sequence);
        Assert.True((await queue.CheckpointAsync(job, 2, "c1", "c2", 20)).IsAccepted);
        var record = await queue.GetAsync("a");
        Assert.Equal(("c2", 20L), (record.Checkpoint, record.Step));
    }

    [Theory]
    [EachStore]
    public async Task Rollback_goes_back_only(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        await queue.CheckpointAsync(job, 1, "", "c1", 10);
        await queue.CheckpointAsync(job, 2, "c1", "c2", 20);
        JobReport Rollback(long number, long step) => new()
        {
            Id = "a",
            Attempt = 1,
            Number = number,
            Body = new NoticeBody("CHECKPOINT_ROLLED_BACK", "c2 does not verify.", new Dictionary<string, string>()),
            Change = new CheckpointChange("c2", "c1", step, IsRollback: true),
        };
        Assert.Equal(-2, (await queue.Store.ReportAsync(Rollback(3, 20), JobQueue.Ct)).Sequence);
        Assert.True((await queue.Store.ReportAsync(Rollback(3, 10), JobQueue.Ct)).IsAccepted);
        Assert.Equal("c1", (await queue.GetAsync("a")).Checkpoint);
    }

    [Theory]
    [EachStore]
    public async Task Success_publishes_the_result_once(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        await queue.CheckpointAsync(job, 1, "", "c1", 10);
        Assert.Equal(CompleteOutcome.ComparisonFailed, await queue.Store.CompleteSucceededAsync("a", 1, "", "r", JobQueue.Ct));
        Assert.Equal(CompleteOutcome.Done, await queue.Store.CompleteSucceededAsync("a", 1, "c1", "r", JobQueue.Ct));
        Assert.Equal(CompleteOutcome.Fenced, await queue.Store.CompleteSucceededAsync("a", 1, "c1", "other", JobQueue.Ct));
        var record = await queue.GetAsync("a");
        Assert.Equal((JobState.Succeeded, "r", 1.0, ""), (record.State, record.Result, record.Progress, record.Owner));
        Assert.NotNull(record.Ended);
        Assert.Equal("Queued Running Succeeded", await queue.ChainAsync("a"));
        Assert.False(await queue.Store.ResumeAsync("a", JobQueue.Ct));
        Assert.Equal(CancelOutcome.Unchanged, await queue.Store.CancelAsync("a", ct: JobQueue.Ct));
    }

    [Theory]
    [EachStore]
    public async Task Callers_fault_fails_the_job_and_says_why(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.RunningAsync("a");
        Assert.Equal(CompleteOutcome.Done, await queue.Store.CompleteFailedAsync("a", 1, Fault, JobQueue.Ct));
        var record = await queue.GetAsync("a");
        Assert.Equal(JobState.Failed, record.State);
        Assert.Equivalent(Fault, record.Error);
        var last = Assert.IsType<StateChangedBody>((await queue.EventsAsync("a"))[^1].Body);
        Assert.Equal((JobState.Running, JobState.Failed, "The disk went away."), (last.From, last.To, last.Cause?.Message));
        Assert.Null(await queue.TryAcquireAsync());
    }

    [Theory]
    [EachStore]
    public async Task Cancel_of_a_queued_job_ends_it_at_once(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.CreateAsync("a");
        Assert.Equal(CancelOutcome.Cancelled, await queue.Store.CancelAsync("a", ct: JobQueue.Ct));
        Assert.Equal(JobState.Cancelled, (await queue.GetAsync("a")).State);
        Assert.Equal(JobFault.CancelledByCaller, (await queue.GetAsync("a")).Error?.Reason);
        Assert.Null(await queue.TryAcquireAsync());
    }

    [Theory]
    [EachStore]
    public async Task After_an_acknowledged_cancel_nothing_is_published(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        Assert.Equal(CompleteOutcome.Refused, await queue.Store.CompleteCancelledAsync("a", 1, JobQueue.Ct));
        Assert.Equal(CancelOutcome.Cancelling, await queue.Store.CancelAsync("a", ct: JobQueue.Ct));
        Assert.Equal(CancelOutcome.Unchanged, await queue.Store.CancelAsync("a", CancelCause.Pause, JobQueue.Ct));
        Assert.Equal(RenewOutcome.Cancelling, await queue.Store.RenewAsync("a", 1, JobQueue.Lease, JobQueue.Ct));
        Assert.True((await queue.ReportAsync(job, 1)).IsCancelling);
        Assert.True((await queue.CheckpointAsync(job, 2, "", "c1", 5)).IsAccepted);
        Assert.Equal(CompleteOutcome.Refused, await queue.Store.CompleteSucceededAsync("a", 1, "c1", "r", JobQueue.Ct));
        Assert.Equal(CompleteOutcome.Refused, await queue.Store.CompleteFailedAsync("a", 1, Fault, JobQueue.Ct));
        Assert.Equal(CompleteOutcome.Done, await queue.Store.CompleteCancelledAsync("a", 1, JobQueue.Ct));
        var record = await queue.GetAsync("a");
        Assert.Equal((JobState.Cancelled, "", "c1"), (record.State, record.Result, record.Checkpoint));
    }

    [Theory]
    [EachStore]
    public async Task Cancelling_job_ends_cancelled_when_released_or_reaped(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        await queue.RunningAsync("a");
        await queue.Store.CancelAsync("a", ct: JobQueue.Ct);
        Assert.Equal(ReleaseOutcome.Cancelled, await queue.Store.ReleaseAsync("a", 1, ReleaseKind.Preempted, null, ct: JobQueue.Ct));
        await queue.RunningAsync("b", JobQueue.Expired);
        await queue.Store.CancelAsync("b", ct: JobQueue.Ct);
        Assert.Equal(1, await queue.Store.ReapAsync(sweep: false, JobQueue.Ct));
        Assert.Equal("Queued Running Cancelling Cancelled", await queue.ChainAsync("a"));
        Assert.Equal("Queued Running Cancelling Cancelled", await queue.ChainAsync("b"));
    }

    [Theory]
    [EachStore]
    public async Task Resumed_job_goes_on_from_its_checkpoint_with_a_greater_attempt(StoreKind kind)
    {
        var queue = await JobQueue.OpenAsync(stores, kind);
        var job = await queue.RunningAsync("a");
        await queue.CheckpointAsync(job, 1, "", "c1", 5);
        await queue.Store.CompleteFailedAsync("a", 1, Fault, JobQueue.Ct);
        Assert.True(await queue.Store.ResumeAsync("a", JobQueue.Ct));
        Assert.False(await queue.Store.ResumeAsync("a", JobQueue.Ct));
        var again = await queue.AcquireAsync();
        Assert.Equal((2, "c1", 5L, 0), (again.Attempt, again.Checkpoint, again.Step, again.Failures));
        Assert.Null(again.Error);
        Assert.Null(again.Ended);
        Assert.True((await queue.ReportAsync(again, 1)).IsAccepted);
        Assert.Equal("Queued Running Failed Queued Running", await queue.ChainAsync("a"));
    }
}
