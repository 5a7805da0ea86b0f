using InstructTune.Jobs;

namespace InstructTune.Unit.Tests.Jobs;

public sealed class JobTransitionsTests
{
    private static readonly JobSnapshot Running = JobTransitions.Acquire(new JobSnapshot());

    [Fact]
    public void Older_attempt_can_do_nothing()
    {
        var second = JobTransitions.Acquire(JobTransitions.Expire(Running));
        Assert.Equal(RenewOutcome.Fenced, JobTransitions.Renew(second, 1).Answer);
        Assert.True(JobTransitions.Report(second, 1, null).Answer.IsFenced);
        Assert.Equal(CompleteOutcome.Fenced, JobTransitions.Complete(second, 1, JobState.Succeeded, "", "r", "").Answer);
        Assert.Equal(ReleaseOutcome.Fenced, JobTransitions.Release(second, 1, ReleaseKind.Preempted, "").Answer);
    }

    [Fact]
    public void Success_admits_nothing_and_failure_a_resume_only()
    {
        var succeeded = JobTransitions.Complete(Running, 1, JobState.Succeeded, "", "r", "").Next;
        Assert.Equal(JobState.Succeeded, succeeded.State);
        Assert.Equal(succeeded, JobTransitions.Resume(succeeded).Next);
        Assert.Equal(succeeded, JobTransitions.Cancel(succeeded).Next);
        var failed = JobTransitions.Complete(Running, 1, JobState.Failed, "", "", "DATA_INVALID").Next;
        Assert.Equal(failed, JobTransitions.Cancel(failed).Next);
        Assert.Equal(JobState.Queued, JobTransitions.Resume(failed).Next.State);
    }

    [Fact]
    public void Acknowledged_cancel_ends_cancelled_by_every_way()
    {
        var cancelling = JobTransitions.Cancel(Running).Next;
        Assert.Equal(CompleteOutcome.Refused, JobTransitions.Complete(cancelling, 1, JobState.Succeeded, "", "r", "").Answer);
        Assert.Equal(CompleteOutcome.Refused, JobTransitions.Complete(cancelling, 1, JobState.Failed, "", "", "X").Answer);
        Assert.Equal(JobState.Cancelled, JobTransitions.Complete(cancelling, 1, JobState.Cancelled, "", "", "").Next.State);
        Assert.Equal(JobState.Cancelled, JobTransitions.Expire(cancelling).State);
        Assert.All(Enum.GetValues<ReleaseKind>(), kind => Assert.Equal(JobState.Cancelled, JobTransitions.Release(cancelling, 1, kind, "X").Next.State));
    }

    [Fact]
    public void Checkpoint_clears_the_count_of_faults_and_a_rollback_does_not()
    {
        var faulty = Running with { Failures = 4, Checkpoint = "c1", Step = 10 };
        Assert.Equal(0, JobTransitions.Report(faulty, 1, new CheckpointChange("c1", "c2", 11, IsRollback: false)).Next.Failures);
        Assert.Equal(4, JobTransitions.Report(faulty, 1, new CheckpointChange("c1", "c0", 9, IsRollback: true)).Next.Failures);
    }

    [Fact]
    public void Retry_jitter_is_the_same_for_the_same_attempt_and_stays_in_its_bounds()
    {
        var jitters = Enumerable.Range(1, 200).Select(attempt => RetryJitter.Of("job", attempt)).ToArray();
        Assert.Equal(jitters, Enumerable.Range(1, 200).Select(attempt => RetryJitter.Of("job", attempt)));
        Assert.All(jitters, jitter => Assert.InRange(jitter, 0.8, 1.2));
        Assert.True(jitters.Distinct().Count() > 190);
    }
}
