using InstructTune.Jobs;

namespace InstructTune.Integration.Tests.Jobs;

/// <summary>The same commands on a real store. Leases run out in the order they were taken.</summary>
internal sealed class RealQueue(JobQueue queue)
{
    private static readonly TimeSpan LongPast = TimeSpan.FromHours(-3);

    private int _acquired;
    private long _number;

    public async Task<object?> ApplyAsync(JobCommand command, JobSnapshot? before)
    {
        var store = queue.Store;
        switch (command.Kind)
        {
            case CommandKind.Create:
                return (await queue.CreateAsync(command.Id, JobCommand.MaxAttempts, command.Priority)).Outcome;
            case CommandKind.Acquire:
                return (await queue.TryAcquireAsync())?.Id;
            case CommandKind.AcquireExpired:
                return (await queue.TryAcquireAsync(LongPast + TimeSpan.FromSeconds(_acquired++)))?.Id;
            case CommandKind.Reap or CommandKind.Sweep:
                return await store.ReapAsync(command.Kind == CommandKind.Sweep, JobQueue.Ct);
            case CommandKind.LoseEntry:
                return await LoseEntryAsync();
            case CommandKind.RepeatEntry:
                if (before is not null)
                {
                    await queue.Redis.ExecuteAsync(database => database.ListRightPushAsync(Pending(before.Priority), command.Id), JobQueue.Ct);
                }

                return before is not null;
            default:
                return before is null ? null : await ChangeAsync(command, before);
        }
    }

    public Task<JobRecord> GetAsync(string id) => queue.GetAsync(id);

    public Task<string> ChainAsync(string id) => queue.ChainAsync(id);

    public Task<IReadOnlyList<JobEventEntry>> EventsAsync(string id) => queue.EventsAsync(id);

    private async Task<bool> LoseEntryAsync()
    {
        foreach (var priority in Enum.GetValues<JobPriority>())
        {
            if ((await queue.Redis.ExecuteAsync(database => database.ListRightPopAsync(Pending(priority)), JobQueue.Ct)).HasValue)
            {
                return true;
            }
        }

        return false;
    }

    private string Pending(JobPriority priority) => $"it:{{{queue.Name}}}:pending" + priority switch
    {
        JobPriority.High => ":high",
        JobPriority.Low => ":low",
        _ => "",
    };

    private async Task<object?> ChangeAsync(JobCommand command, JobSnapshot before)
    {
        var (store, id, attempt) = (queue.Store, command.Id, ModelQueue.AttemptOf(command, before));
        switch (command.Kind)
        {
            case CommandKind.Renew:
                return await store.RenewAsync(id, attempt, JobQueue.Lease, JobQueue.Ct);
            case CommandKind.Report:
                return await store.ReportAsync(ReportOf(id, attempt, null), JobQueue.Ct);
            case CommandKind.Checkpoint or CommandKind.Rollback:
                return await store.ReportAsync(ReportOf(id, attempt, ModelQueue.ChangeOf(command, before)), JobQueue.Ct);
            case CommandKind.Succeed:
                return await store.CompleteSucceededAsync(id, attempt, ModelQueue.ExpectedOf(command, before), "result", JobQueue.Ct);
            case CommandKind.Fail:
                return await store.CompleteFailedAsync(id, attempt, JobCommand.Error, JobQueue.Ct);
            case CommandKind.CompleteCancelled:
                return await store.CompleteCancelledAsync(id, attempt, JobQueue.Ct);
            case CommandKind.Preempt or CommandKind.Fault or CommandKind.OutOfMemory:
                var released = await store.ReleaseAsync(id, attempt, command.Release, JobCommand.Error, ct: JobQueue.Ct);
                return (released, await store.ReapAsync(sweep: false, JobQueue.Ct));
            case CommandKind.Cancel or CommandKind.Pause:
                return await store.CancelAsync(id, command.Cause, JobQueue.Ct);
            case CommandKind.RequestCheckpoint:
                return await store.RequestCheckpointAsync(id, JobQueue.Ct);
            default:
                return await store.ResumeAsync(id, JobQueue.Ct);
        }
    }

    private JobReport ReportOf(string id, int attempt, CheckpointChange? change) => new()
    {
        Id = id,
        Attempt = attempt,
        Number = ++_number,
        Body = new PhaseBody("training"),
        Change = change,
    };
}
