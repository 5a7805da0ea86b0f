using InstructTune.Jobs;

namespace InstructTune.Unit.Tests.Jobs.Simulation;

/// <summary>
/// The store as the scripts make it: each call is one step of <see cref="JobTransitions"/>, with leases and retries on the
/// store's own clock. A <see cref="Witness"/> looks at every step.
/// </summary>
internal sealed class SimulatedStore(Defect defect, Witness witness, long leaseMs)
{
    private const long RetryUnitMs = 1000;

    private readonly Dictionary<int, SimulatedJob> _jobs = [];
    private readonly LinkedList<int> _pending = new();
    private readonly HashSet<int> _leased = [];
    private readonly HashSet<int> _delayed = [];
    private SimulatedJob[] _expiredBefore = [];

    public void Create(int id, int maxAttempts)
    {
        // A repeat of the request finds its job.
        if (_jobs.TryAdd(id, new SimulatedJob { Id = id, Snapshot = new JobSnapshot { MaxAttempts = maxAttempts } }))
        {
            _pending.AddFirst(id);
        }
    }

    public SimulatedJob? Acquire(long nowMs)
    {
        while (_pending.Last is { } last)
        {
            _pending.RemoveLast();
            var job = _jobs[last.Value];
            if (job.Snapshot.State == JobState.Queued)
            {
                _delayed.Remove(job.Id);
                _leased.Add(job.Id);
                job.LeaseEndsMs = nowMs + leaseMs;
                job.Reported = 0;
                Change(job, JobTransitions.Acquire(job.Snapshot), null);
                witness.Acquired(job);
                return job;
            }
        }

        return null;
    }

    public RenewOutcome Renew(int id, int attempt, long nowMs)
    {
        var job = _jobs[id];
        var outcome = JobTransitions.Renew(Aged(job, nowMs), Attempt(job, attempt)).Answer;
        if (outcome != RenewOutcome.Fenced && defect != Defect.LeaseNotExtended)
        {
            job.LeaseEndsMs = nowMs + leaseMs;
        }

        return outcome;
    }

    public ReportResult Report(int id, int attempt, long number, CheckpointChange? change)
    {
        var job = _jobs[id];
        var isHeld = JobTransitions.Report(job.Snapshot, Attempt(job, attempt), null).Answer.IsAccepted;
        if (isHeld && number <= job.Reported && defect != Defect.RepeatedReportWritten)
        {
            return new ReportResult(job.Snapshot.LastSequence, job.Snapshot.State == JobState.Cancelling);
        }

        var (next, answer) = JobTransitions.Report(job.Snapshot, Attempt(job, attempt), change);
        if (answer.IsAccepted)
        {
            job.Reported = Math.Max(number, job.Reported);
            witness.Reported(job, attempt, number, change);
            Change(job, next, attempt);
        }

        return answer;
    }

    public CompleteOutcome Complete(int id, int attempt, JobState outcome, string expected, string result)
    {
        var job = _jobs[id];
        var before = job.Snapshot;
        if (defect == Defect.PublishedAfterCancel && before.State == JobState.Cancelling && outcome == JobState.Succeeded)
        {
            before = before with { State = JobState.Running };
        }

        var compared = defect == Defect.CompletionNotFenced ? job.Snapshot.Attempt : Attempt(job, attempt);
        var (next, answer) = JobTransitions.Complete(before, compared, outcome, expected, result, "");
        if (answer == CompleteOutcome.Done)
        {
            Change(job, next, attempt);
        }

        return answer;
    }

    public ReleaseOutcome Release(int id, int attempt, ReleaseKind kind, long nowMs)
    {
        var job = _jobs[id];
        var (next, answer) = JobTransitions.Release(job.Snapshot, Attempt(job, attempt), kind, "FAULT");
        if (answer != ReleaseOutcome.Fenced)
        {
            Change(job, next, attempt);
            Place(job, nowMs);
        }

        return answer;
    }

    public CancelOutcome Cancel(int id)
    {
        var job = _jobs[id];
        var (next, answer) = JobTransitions.Cancel(job.Snapshot);
        if (answer != CancelOutcome.Unchanged)
        {
            Change(job, next, null);
            witness.CancelAcknowledged(job);
        }

        return answer;
    }

    public void Resume(int id, long nowMs)
    {
        var job = _jobs[id];
        var (next, isQueued) = JobTransitions.Resume(job.Snapshot);
        if (isQueued)
        {
            witness.Resumed(job);
            Change(job, next, null);
            Place(job, nowMs);
        }
    }

    public void Reap(long nowMs)
    {
        foreach (var job in Expired(nowMs))
        {
            var next = JobTransitions.Expire(job.Snapshot);
            if (defect == Defect.LossNotCounted)
            {
                next = JobTransitions.Expire(job.Snapshot with { Failures = 0 });
            }

            witness.Lost(job);
            Change(job, next, null);
            Place(job, nowMs);
        }

        foreach (var job in _delayed.Select(id => _jobs[id]).Where(job => job.DueMs <= nowMs).ToArray())
        {
            _delayed.Remove(job.Id);
            job.Snapshot = job.Snapshot with { Place = JobPlace.Pending };
            _pending.AddFirst(job.Id);
        }
    }

    private IEnumerable<SimulatedJob> Expired(long nowMs)
    {
        var expired = _leased.Select(id => _jobs[id]).Where(job => job.LeaseEndsMs <= nowMs).ToArray();
        var before = _expiredBefore;
        _expiredBefore = expired;
        return defect == Defect.ReapedWithoutAttempt ? [.. expired.Union(before.Where(job => _leased.Contains(job.Id)))] : expired;
    }

    private int Attempt(SimulatedJob job, int attempt) => defect == Defect.AttemptNotCompared ? job.Snapshot.Attempt : attempt;

    private static JobSnapshot Aged(SimulatedJob job, long nowMs) =>
        job.Snapshot.Place == JobPlace.Leased && job.LeaseEndsMs <= nowMs ? job.Snapshot with { Place = JobPlace.Expired } : job.Snapshot;

    private void Change(SimulatedJob job, JobSnapshot next, int? attempt)
    {
        if (defect == Defect.SequenceNotIncremented && next.State == JobState.Queued)
        {
            next = next with { LastSequence = job.Snapshot.LastSequence };
        }

        witness.Changed(job, next, attempt);
        job.Snapshot = next;
        if (next.Place != JobPlace.Leased)
        {
            _leased.Remove(job.Id);
        }
    }

    private void Place(SimulatedJob job, long nowMs)
    {
        if (job.Snapshot.Place == JobPlace.Pending)
        {
            _pending.AddLast(job.Id);
        }
        else if (job.Snapshot.Place == JobPlace.Delayed)
        {
            job.DueMs = nowMs + (RetryUnitMs << job.Snapshot.Failures);
            _delayed.Add(job.Id);
        }
    }
}

internal sealed class SimulatedJob
{
    public required int Id { get; init; }

    public required JobSnapshot Snapshot { get; set; }

    public long LeaseEndsMs { get; set; }

    public long DueMs { get; set; }

    public long Reported { get; set; }

    /// <summary>The newest checkpoint that a worker wrote, reported or not.</summary>
    public (string Checkpoint, long Step)? OnDisk { get; set; }

    /// <summary>What the witness has seen of it.</summary>
    public JobSightings Seen { get; } = new();
}

internal sealed class JobSightings
{
    public HashSet<(int Attempt, long Number)> Reports { get; } = [];

    public int Publications { get; set; }

    public bool IsCancelAcknowledged { get; set; }

    public int Losses { get; set; }

    public long CheckpointStep { get; set; } = -1;

    public string Checkpoint { get; set; } = "";
}
