using InstructTune.Jobs;

namespace InstructTune.Integration.Tests.Jobs;

/// <summary>What a queue should do, from <see cref="JobTransitions"/> and an ordinary list.</summary>
internal sealed class ModelQueue
{
    private const int MaxSkipped = 16;

    private readonly Dictionary<string, JobSnapshot> _jobs = [];
    private readonly Dictionary<string, List<JobState>> _chains = [];
    // By priority, the newest first, as in the store: acquire takes from the end.
    private readonly List<string>[] _pending = [[], [], []];
    private readonly List<string> _expired = [];

    public IReadOnlyDictionary<string, JobSnapshot> Jobs => _jobs;

    public string Chain(string id) => string.Join(' ', _chains[id]);

    public object? Apply(JobCommand command) => command.Kind switch
    {
        CommandKind.Create => Create(command.Id, command.Priority),
        CommandKind.Acquire => Acquire(JobPlace.Leased),
        CommandKind.AcquireExpired => Acquire(JobPlace.Expired),
        CommandKind.Reap => Reap(isSweep: false),
        CommandKind.Sweep => Reap(isSweep: true),
        CommandKind.LoseEntry => LoseEntry(),
        CommandKind.RepeatEntry => RepeatEntry(command.Id),
        _ => _jobs.TryGetValue(command.Id, out var job) ? Change(command, job) : null,
    };

    private object? Change(JobCommand command, JobSnapshot job)
    {
        var attempt = AttemptOf(command, job);
        switch (command.Kind)
        {
            case CommandKind.Renew:
                return Keep(command.Id, JobTransitions.Renew(job, attempt));
            case CommandKind.Report:
                return Keep(command.Id, JobTransitions.Report(job, attempt, null));
            case CommandKind.Checkpoint or CommandKind.Rollback:
                return Keep(command.Id, JobTransitions.Report(job, attempt, ChangeOf(command, job)));
            case CommandKind.Succeed:
                return Keep(command.Id, JobTransitions.Complete(job, attempt, JobState.Succeeded, ExpectedOf(command, job), "result", ""));
            case CommandKind.Fail:
                return Keep(command.Id, JobTransitions.Complete(job, attempt, JobState.Failed, "", "", JobCommand.Error.Reason));
            case CommandKind.CompleteCancelled:
                return Keep(command.Id, JobTransitions.Complete(job, attempt, JobState.Cancelled, "", "", JobFault.CancelledByCaller));
            case CommandKind.Preempt or CommandKind.Fault or CommandKind.OutOfMemory:
                var released = Keep(command.Id, JobTransitions.Release(job, attempt, command.Release, JobCommand.Error.Reason));
                if (_jobs[command.Id].Place == JobPlace.Pending && job.State == JobState.Running)
                {
                    Waiting(command.Id).Add(command.Id);
                }

                return (released, Reap(isSweep: false));
            case CommandKind.RequestCheckpoint:
                return Keep(command.Id, JobTransitions.RequestCheckpoint(job));
            case CommandKind.Cancel or CommandKind.Pause:
                var cancelled = Keep(command.Id, JobTransitions.Cancel(job, command.Cause));
                if (cancelled == CancelOutcome.Cancelled)
                {
                    Waiting(command.Id).RemoveAll(id => id == command.Id);
                }

                return cancelled;
            default:
                var isResumed = Keep(command.Id, JobTransitions.Resume(job));
                if (isResumed)
                {
                    Waiting(command.Id).Insert(0, command.Id);
                }

                return isResumed;
        }
    }

    public static int AttemptOf(JobCommand command, JobSnapshot job) => command.IsStale ? job.Attempt - 1 : job.Attempt;

    public static string ExpectedOf(JobCommand command, JobSnapshot job) => command.IsWrong ? "other" : job.Checkpoint;

    public static CheckpointChange ChangeOf(JobCommand command, JobSnapshot job) =>
        new(ExpectedOf(command, job), $"c{job.LastSequence}", job.Step + command.Steps, command.Kind == CommandKind.Rollback);

    private CreateOutcome Create(string id, JobPriority priority)
    {
        if (_jobs.ContainsKey(id))
        {
            return CreateOutcome.IdTaken;
        }

        _jobs[id] = new JobSnapshot { MaxAttempts = JobCommand.MaxAttempts, Priority = priority };
        _chains[id] = [JobState.Queued];
        Waiting(id).Insert(0, id);
        return CreateOutcome.Created;
    }

    private string? Acquire(JobPlace place)
    {
        for (var skipped = 0; skipped < MaxSkipped && Pop() is { } id; skipped++)
        {
            if (_jobs[id].State == JobState.Queued)
            {
                Set(id, JobTransitions.Acquire(_jobs[id]) with { Place = place });
                if (place == JobPlace.Expired)
                {
                    _expired.Add(id);
                }

                return id;
            }
        }

        return null;
    }

    private int Reap(bool isSweep)
    {
        var handled = 0;
        // A job that ended, was resumed and taken again before this look is in the list twice.
        foreach (var id in _expired.Distinct().Where(id => _jobs[id].Place == JobPlace.Expired).ToArray())
        {
            Set(id, JobTransitions.Expire(_jobs[id]));
            if (_jobs[id].State == JobState.Queued)
            {
                Waiting(id).Add(id);
            }

            handled++;
        }

        _expired.Clear();
        foreach (var (id, job) in _jobs.Where(entry => entry.Value.Place == JobPlace.Delayed).ToArray())
        {
            _jobs[id] = job with { Place = JobPlace.Pending };
            Waiting(id).Insert(0, id);
            handled++;
        }

        foreach (var id in _jobs.Keys.Where(id => isSweep && _jobs[id].State == JobState.Queued && !Waiting(id).Contains(id)).ToArray())
        {
            Waiting(id).Insert(0, id);
            handled++;
        }

        return handled;
    }

    private bool LoseEntry() => Pop() is not null;

    // Of the highest priority, the one that waits longest.
    private string? Pop()
    {
        if (Array.Find(_pending, list => list.Count > 0) is not { } first)
        {
            return null;
        }

        var id = first[^1];
        first.RemoveAt(first.Count - 1);
        return id;
    }

    private List<string> Waiting(string id) => _pending[(int)_jobs[id].Priority];

    private bool RepeatEntry(string id)
    {
        if (_jobs.ContainsKey(id))
        {
            Waiting(id).Add(id);
        }

        return _jobs.ContainsKey(id);
    }

    private T Keep<T>(string id, Transition<T> transition)
    {
        Set(id, transition.Next);
        return transition.Answer;
    }

    private void Set(string id, JobSnapshot next)
    {
        if (_jobs[id].State != next.State)
        {
            _chains[id].Add(next.State);
        }

        _jobs[id] = next;
    }
}
