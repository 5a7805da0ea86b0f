using StackExchange.Redis;

namespace InstructTune.Jobs;

/// <summary>What keeps the queue in order, and what it can tell about itself.</summary>
public sealed partial class JobStore
{
    private const int HistoryPage = 1000;

    /// <summary>Takes jobs from lost workers and queues due retries; with the sweep, repairs the queue too.</summary>
    public async Task<int> ReapAsync(bool sweep, CancellationToken ct = default)
    {
        var handled = (int)await RunAsync(
            Scripts.Reap,
            ct,
            sweep ? "1" : "0",
            JobFault.Encode(JobFault.LeaseLost),
            JobFault.Encode(JobFault.LostTooOften),
            JobFault.Encode(JobFault.Cancelled));
        if (handled > 0)
        {
            await Redis.HintAsync(_keys.Wake, "");
        }

        return handled;
    }

    /// <summary>How many jobs wait, run, and for how long the first has waited.</summary>
    public async Task<QueueStats> StatsAsync(CancellationToken ct = default)
    {
        var answer = (long[])(await RunAsync(Scripts.Stats, ct))!;
        return new QueueStats(answer[0], answer[1], answer[2], answer[3], answer[4], TimeSpan.FromMilliseconds(answer[5]), answer[6]);
    }

    /// <summary>Jobs that ended and are not in the archive yet, and jobs that run.</summary>
    internal async Task<(IReadOnlyList<string> Ended, IReadOnlyList<string> Running)> ToArchiveAsync(int max, CancellationToken ct)
    {
        var answer = await RunAsync(Scripts.Ended, ct, max);
        return ((string[])answer[0]!, (string[])answer[1]!);
    }

    /// <summary>The archive has the job up to this event.</summary>
    internal async Task MarkArchivedAsync(string id, long sequence, CancellationToken ct) => await RunAsync(Scripts.Archived, ct, id, sequence);

    /// <summary>Those of the ids of which the store has no job.</summary>
    internal async Task<IReadOnlyList<string>> MissingAsync(IEnumerable<string> ids, CancellationToken ct) =>
        (string[])(await RunAsync(Scripts.Missing, ct, [.. ids.Select(id => (RedisValue)id)]))!;

    /// <summary>Removes a job that has ended, with its history.</summary>
    /// <param name="lastSequence">The job's last event as the caller knows it: another one refuses; null does not ask.</param>
    public async Task<DeleteOutcome> DeleteAsync(string id, long? lastSequence = null, CancellationToken ct = default)
    {
        if (await GetAsync(id, ct) is not { } job)
        {
            return DeleteOutcome.NotFound;
        }

        if (!job.State.IsTerminal())
        {
            return DeleteOutcome.Refused;
        }

        // The archive first, or the next look at it would bring the job back; aside, because the job may be resumed in this moment.
        Archive?.SetAside(id);
        var outcome = (DeleteOutcome)(int)await RunAsync(Scripts.Delete, ct, id, lastSequence is { } last ? last : RedisValue.EmptyString);
        if (outcome is DeleteOutcome.Deleted or DeleteOutcome.NotFound)
        {
            Archive?.Delete(id);
        }
        else
        {
            Archive?.PutBack(id);
        }

        return outcome;
    }

    /// <summary>Every event of a job, from its archive and the store, oldest first; null for an unknown job.</summary>
    public async Task<IReadOnlyList<JobEventEntry>?> ReadHistoryAsync(string id, CancellationToken ct = default)
    {
        if (await GetAsync(id, ct) is not { } job)
        {
            return null;
        }

        var history = (Archive?.Events(id).Read() ?? []).Where(entry => entry.Sequence < job.FirstSequence).ToList();
        var after = job.FirstSequence - 1;
        while (after < job.LastSequence && await ReadEventsAsync(id, after, HistoryPage, ct) is { Entries: [.., var last] entries })
        {
            history.AddRange(entries);
            after = last.Sequence;
        }

        return history;
    }

    internal async Task<bool> RestoreAsync(RestoredJob job, CancellationToken ct)
    {
        var isRestored = (int)await RunAsync(
            Scripts.Restore,
            ct,
            job.New.Id,
            job.State.StoredName(),
            job.Attempt,
            job.Checkpoint,
            job.Step,
            job.LastSequence,
            job.Created.ToUnixTimeMilliseconds(),
            job.Ended?.ToUnixTimeMilliseconds().ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "",
            job.Result,
            JobFault.Encode(job.Error),
            JobRecordFields.Stored(job.Cause),
            job.New.Spec,
            job.New.SpecSha256,
            job.New.MaxAttempts,
            job.New.TraceParent,
            JobRecordFields.Stored(job.New.Priority),
            job.New.RequestId,
            job.New.BodySha256,
            (long)Math.Max(0, (RequestKept - job.Age).TotalSeconds),
            JobFault.Encode(JobFault.StoreRebuilt),
            job.State == JobState.Succeeded ? "1" : "0") == 1;
        await HintChangeAsync(job.New.Id);
        return isRestored;
    }
}
