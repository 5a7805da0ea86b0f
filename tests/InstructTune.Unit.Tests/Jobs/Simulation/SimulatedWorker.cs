using InstructTune.Jobs;

namespace InstructTune.Unit.Tests.Jobs.Simulation;

/// <summary>A worker with the lease rules of the real one, that crashes, hangs, and wakes long after its lease.</summary>
internal sealed class SimulatedWorker(int number, SimulatedWorld world, SimulatedStore store, Witness witness, Defect defect, LeaseOptions lease)
{
    internal const int StepsPerJob = 12;
    private const int StepsPerCheckpoint = 4;
    private const double CrashRate = 0.006;
    private const double FreezeRate = 0.006;
    private const double HangRate = 0.002;
    private const double GiveBackRate = 0.004;
    private const double PoisonCrashRate = 0.9;
    private const double SetBackRate = 0.01;
    private const long SetBackMs = 60_000;
    private const long RetryMs = 500;

    // A life ends with the job, a crash or a lost lease; what belongs to an earlier one is dropped.
    private int _life;
    private int? _job;
    private int _attempt;
    private LeaseSchedule? _schedule;
    private long _reports;
    private long _answered;
    private string _checkpoint = "";
    private long _checkpointStep;
    private int _step;
    private long _frozenUntilMs;
    private bool _isHung;
    private bool _isEnding;
    private long _behindMs;
    private SimulatedJob? _record;

    public int Number => number;

    /// <summary>Whether it works on the job; an attempt that only waits for the answer to its end does not.</summary>
    public bool Believes(int job) => _job == job && !_isEnding && world.NowMs >= _frozenUntilMs && _schedule!.Remaining(Now) > TimeSpan.Zero;

    public void Start() => Look();

    private TimeSpan Now => TimeSpan.FromMilliseconds(world.NowMs - _behindMs);

    private void Look()
    {
        var (life, asked) = (++_life, Now);
        (_job, _schedule) = (null, null);
        After(life, world.Random.Next(200, 1500), Look);
        world.Call(() => store.Acquire(world.NowMs), job =>
        {
            if (job is not null && life == _life && _job is null)
            {
                Take(job, asked);
            }
        });
    }

    private void Take(SimulatedJob job, TimeSpan asked)
    {
        var life = ++_life;
        (_job, _attempt, _checkpoint, _checkpointStep) = (job.Id, job.Snapshot.Attempt, job.Snapshot.Checkpoint, job.Snapshot.Step);
        if (defect == Defect.ResumedFromUnreported && job.OnDisk is { } newest)
        {
            (_checkpoint, _checkpointStep) = newest;
        }

        witness.Begins(job, _checkpoint);
        (_record, _reports, _answered, _step, _isHung, _isEnding) = (job, 0, 0, 0, false, false);
        _schedule = new LeaseSchedule(lease.Duration, lease.RenewalInterval, asked);
        After(life, 100, Step);
        Keep(life);
    }

    // The thread of the lease keeper.
    private void Keep(int life) => After(life, (long)Math.Ceiling(_schedule!.UntilNextLook(Now).TotalMilliseconds), () =>
    {
        switch (_schedule!.Next(Now, _isHung))
        {
            case LeaseAction.Stop:
                Look();
                return;
            case LeaseAction.Renew:
                Renew(life);
                break;
        }

        Keep(life);
    });

    private void Renew(int life)
    {
        var (sent, isAnswered, job, attempt) = (Now, false, _job!.Value, _attempt);
        world.Call(() => store.Renew(job, attempt, world.NowMs), outcome => Alive(life, () =>
        {
            if (outcome == RenewOutcome.Fenced)
            {
                Refused();
            }
            else
            {
                isAnswered = true;
                _schedule!.Answered(defect == Defect.LeaseCountedFromAnswer ? Now : sent, isExtended: true);
                StopIf(outcome == RenewOutcome.Cancelling);
            }
        }));
        After(life, (long)_schedule!.Patience(Now).TotalMilliseconds, () =>
        {
            if (!isAnswered)
            {
                _schedule!.Answered(sent, isExtended: false);
            }
        });
    }

    private void Step()
    {
        var life = _life;
        var fate = world.Random.NextDouble();
        var isPoison = _job % 50 == 0;
        if (fate < (isPoison ? PoisonCrashRate : CrashRate))
        {
            Crash();
            return;
        }

        if (defect == Defect.LeaseOnLocalClock && world.Random.NextDouble() < SetBackRate)
        {
            _behindMs += SetBackMs;
        }

        _frozenUntilMs = world.Random.NextDouble() < FreezeRate ? world.NowMs + (2 * (long)lease.Duration.TotalMilliseconds) : _frozenUntilMs;
        _isHung |= world.Random.NextDouble() < HangRate;
        if (_isHung)
        {
            return;
        }

        if (world.Random.NextDouble() < GiveBackRate)
        {
            Release(life, world.Random.Next(2) == 0 ? ReleaseKind.Preempted : ReleaseKind.Infrastructure);
            return;
        }

        _step++;
        var change = _step % StepsPerCheckpoint == 0
            ? new CheckpointChange(_checkpoint, $"a{_attempt}s{_checkpointStep + StepsPerCheckpoint}", _checkpointStep + StepsPerCheckpoint, IsRollback: false)
            : null;
        if (change is not null)
        {
            _record!.OnDisk = (change.Checkpoint, change.Step);
        }

        if (defect == Defect.PublishedBeforeReport && _step >= StepsPerJob)
        {
            End(life, JobState.Succeeded);
            return;
        }

        Report(life, ++_reports, change);
    }

    // As the pump does: one at a time, sent again until it is answered. Each sending may be answered; only the first answer counts,
    // or the worker would go on twice.
    private void Report(int life, long report, CheckpointChange? change)
    {
        var (job, attempt) = (_job!.Value, _attempt);
        world.Call(() => store.Report(job, attempt, report, change), answer => Alive(life, () =>
        {
            if (report <= _answered)
            {
                return;
            }

            _answered = report;
            if (answer.IsFenced)
            {
                Refused();
                return;
            }

            (_checkpoint, _checkpointStep) = change is null ? (_checkpoint, _checkpointStep) : (change.Checkpoint, change.Step);
            Proceed(life, answer.IsCancelling);
        }));
        After(life, RetryMs, () =>
        {
            if (report > _answered)
            {
                Report(life, report, change);
            }
        });
    }

    private void Proceed(int life, bool isCancelling)
    {
        if (isCancelling)
        {
            StopIf(isCancelling);
        }
        else if (_step >= StepsPerJob)
        {
            End(life, JobState.Succeeded);
        }
        else
        {
            After(life, world.Random.Next(50, 2000), Step);
        }
    }

    private void StopIf(bool isCancelling)
    {
        if (isCancelling)
        {
            End(_life, JobState.Cancelled);
        }
    }

    private void End(int life, JobState outcome)
    {
        _isEnding = true;
        var (job, attempt, checkpoint) = (_job!.Value, _attempt, _checkpoint);
        world.Call(() => store.Complete(job, attempt, outcome, checkpoint, $"r{attempt}"), answer => Alive(life, () =>
        {
            if (answer == CompleteOutcome.Refused && outcome == JobState.Succeeded)
            {
                End(life, JobState.Cancelled);
            }
            else if (answer == CompleteOutcome.Fenced)
            {
                Refused();
            }
            else
            {
                Look();
            }
        }));
        After(life, RetryMs, () => End(life, outcome));
    }

    private void Release(int life, ReleaseKind kind)
    {
        _isEnding = true;
        var (job, attempt) = (_job!.Value, _attempt);
        world.Call(() => store.Release(job, attempt, kind, world.NowMs), answer => Alive(life, Look));
        After(life, RetryMs, () => Release(life, kind));
    }

    private void Refused()
    {
        witness.WasRefused();
        Look();
    }

    private void Crash()
    {
        var life = ++_life;
        (_job, _schedule) = (null, null);
        After(life, 5000, Look);
    }

    // Nothing of a frozen process runs before it wakes, and nothing of an ended life ever.
    private void After(int life, long delayMs, Action action) => world.After(delayMs, () => Alive(life, action));

    private void Alive(int life, Action action)
    {
        if (life != _life)
        {
            return;
        }

        if (world.NowMs < _frozenUntilMs)
        {
            world.After(_frozenUntilMs - world.NowMs, () => Alive(life, action));
            return;
        }

        action();
    }
}
