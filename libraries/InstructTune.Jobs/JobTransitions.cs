namespace InstructTune.Jobs;

/// <summary>
/// The state machine as a pure function: the specification of the scripts, which tests compare with every store.
/// </summary>
internal static class JobTransitions
{
    private const int MaxOutOfMemoryRetries = 1;

    public static JobSnapshot Acquire(JobSnapshot job) =>
        job.State == JobState.Queued
            ? Move(job, JobState.Running, JobPlace.Leased) with { Attempt = job.Attempt + 1 }
            : throw new InvalidOperationException($"Only queued jobs are acquired; this one is {job.State}.");

    public static Transition<RenewOutcome> Renew(JobSnapshot job, int attempt)
    {
        if (!Holds(job, attempt) || job.Place == JobPlace.Expired)
        {
            return new(job, RenewOutcome.Fenced);
        }

        return new(job, job switch
        {
            { State: JobState.Cancelling } => RenewOutcome.Cancelling,
            { IsCheckpointAsked: true } => RenewOutcome.CheckpointAsked,
            _ => RenewOutcome.Extended,
        });
    }

    public static Transition<ReportResult> Report(JobSnapshot job, int attempt, CheckpointChange? change)
    {
        if (!Holds(job, attempt))
        {
            return new(job, new ReportResult(0, false));
        }

        var isCancelling = job.State == JobState.Cancelling;
        if (change is not null)
        {
            var isForward = change.IsRollback ? change.Step < job.Step : change.Step > job.Step;
            if (change.Expected != job.Checkpoint || !isForward)
            {
                return new(job, new ReportResult(ReportResult.ComparisonFailed, isCancelling, job.IsCheckpointAsked));
            }

            job = job with { Checkpoint = change.Checkpoint, Step = change.Step };
            job = change.IsRollback ? job : job with { Failures = 0, IsCheckpointAsked = false };
        }

        job = job with { LastSequence = job.LastSequence + 1 };
        return new(job, new ReportResult(job.LastSequence, isCancelling, job.IsCheckpointAsked));
    }

    public static Transition<CompleteOutcome> Complete(JobSnapshot job, int attempt, JobState outcome, string expected, string result, string reason)
    {
        if (!Holds(job, attempt))
        {
            return new(job, CompleteOutcome.Fenced);
        }

        if ((job.State == JobState.Cancelling) != (outcome == JobState.Cancelled))
        {
            return new(job, CompleteOutcome.Refused);
        }

        if (outcome != JobState.Succeeded)
        {
            return new(End(job, outcome, reason), CompleteOutcome.Done);
        }

        return job.Checkpoint == expected && job.Result.Length == 0
            ? new(End(job, outcome, "") with { Result = result }, CompleteOutcome.Done)
            : new(job, CompleteOutcome.ComparisonFailed);
    }

    public static Transition<ReleaseOutcome> Release(JobSnapshot job, int attempt, ReleaseKind kind, string reason)
    {
        if (!Holds(job, attempt))
        {
            return new(job, ReleaseOutcome.Fenced);
        }

        if (job.State == JobState.Cancelling)
        {
            return new(End(job, JobState.Cancelled, JobFault.CancelledByCaller), ReleaseOutcome.Cancelled);
        }

        if (kind == ReleaseKind.Preempted)
        {
            return new(Move(job, JobState.Queued, JobPlace.Pending), ReleaseOutcome.Queued);
        }

        var isMemory = kind == ReleaseKind.OutOfMemory;
        job = job with { Failures = job.Failures + 1, OutOfMemoryRetries = job.OutOfMemoryRetries + (isMemory ? 1 : 0) };
        if (isMemory && job.OutOfMemoryRetries > MaxOutOfMemoryRetries)
        {
            return new(End(job, JobState.Failed, reason), ReleaseOutcome.Failed);
        }

        return job.Failures >= job.MaxAttempts
            ? new(End(job, JobState.Failed, JobFault.AttemptsExhausted), ReleaseOutcome.Failed)
            : new(Move(job, JobState.Queued, JobPlace.Delayed), ReleaseOutcome.Queued);
    }

    public static Transition<CancelOutcome> Cancel(JobSnapshot job, CancelCause cause = CancelCause.Caller) => job.State switch
    {
        JobState.Queued => new(End(job with { Cause = cause }, JobState.Cancelled, JobFault.CancelledByCaller), CancelOutcome.Cancelled),
        JobState.Running => new(Move(job with { Cause = cause }, JobState.Cancelling, job.Place), CancelOutcome.Cancelling),
        _ => new(job, CancelOutcome.Unchanged),
    };

    /// <summary>Asks the worker of a running job to save a checkpoint and go on.</summary>
    public static Transition<bool> RequestCheckpoint(JobSnapshot job) =>
        job.State == JobState.Running ? new(job with { IsCheckpointAsked = true }, true) : new(job, false);

    public static Transition<bool> Resume(JobSnapshot job) =>
        job.State is JobState.Failed or JobState.Cancelled
            ? new(Move(job, JobState.Queued, JobPlace.Pending) with { Failures = 0, OutOfMemoryRetries = 0, ErrorReason = "", Cause = null }, true)
            : new(job, false);

    /// <summary>What becomes of a job whose lease ran out.</summary>
    public static JobSnapshot Expire(JobSnapshot job)
    {
        if (job.State == JobState.Cancelling)
        {
            return End(job, JobState.Cancelled, JobFault.CancelledByCaller);
        }

        job = job with { Failures = job.Failures + 1 };
        return job.Failures >= job.MaxAttempts
            ? End(job, JobState.Failed, JobFault.AttemptsExhausted)
            : Move(job, JobState.Queued, JobPlace.Pending);
    }

    private static bool Holds(JobSnapshot job, int attempt) =>
        job.Attempt == attempt && job.Place is (JobPlace.Leased or JobPlace.Expired) && job.State is (JobState.Running or JobState.Cancelling);

    private static JobSnapshot End(JobSnapshot job, JobState state, string reason) =>
        Move(job, state, JobPlace.None) with { ErrorReason = reason };

    private static JobSnapshot Move(JobSnapshot job, JobState state, JobPlace place) =>
        job with { State = state, Place = place, LastSequence = job.LastSequence + 1, IsCheckpointAsked = false };
}
