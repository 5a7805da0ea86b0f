using InstructTune.Storage;
using StackExchange.Redis;
using LuaScript = InstructTune.Storage.LuaScript;

namespace InstructTune.Jobs;

/// <summary>
/// Calls the scripts; nothing else changes a job. Every method throws <see cref="StoreUnreachableException"/> within a
/// bounded time when the store is away.
/// </summary>
public sealed partial class JobStore(RedisConnection redis, string queue, LeaseOptions options)
{
    private static readonly TimeSpan RequestKept = TimeSpan.FromHours(24);

    private readonly JobKeys _keys = new(queue);

    public JobStore(RedisConnection redis, string queue)
        : this(redis, queue, new LeaseOptions())
    {
    }

    public string Queue { get; } = queue;

    internal RedisConnection Redis { get; } = redis;

    internal JobKeys Keys => _keys;

    internal JobScripts Scripts { get; init; } = JobScripts.AsWritten;

    /// <summary>What the disk keeps of the jobs; null where nothing does.</summary>
    internal JobArchive? Archive { get; init; }

    /// <exception cref="StorageFullException">The archive cannot be written.</exception>
    public async Task<CreateResult> CreateAsync(NewJob job, CancellationToken ct = default)
    {
        if (Archive is null)
        {
            return await CreateInStoreAsync(job, ct);
        }

        var written = Archive.WriteSpec(job);
        if (written is SpecWriting.RequestReused or SpecWriting.IdTaken)
        {
            return new CreateResult(written == SpecWriting.IdTaken ? CreateOutcome.IdTaken : CreateOutcome.RequestReused, job.Id);
        }

        var isOurs = written == SpecWriting.Written;
        var isKept = false;
        try
        {
            var created = await CreateInStoreAsync(job, ct);
            if (created.Outcome == CreateOutcome.IdTaken && (isOurs || job.RequestId.Length > 0))
            {
                // Whoever rebuilds the store read our file before we came, or the request is older than its id is kept.
                created = new CreateResult(isOurs ? CreateOutcome.Created : CreateOutcome.SameRequest, job.Id);
            }

            // The job of a request that is sent again may have been deleted since.
            isKept = created.Outcome == CreateOutcome.Created || (created.Id == job.Id && await GetAsync(job.Id, ct) is not null);
            return created;
        }
        finally
        {
            // Not acknowledged: what is left in the archive would become a job that nobody asked for.
            if (isOurs && !isKept)
            {
                Archive.RemoveSpec(job.Id);
            }
        }
    }

    private async Task<CreateResult> CreateInStoreAsync(NewJob job, CancellationToken ct)
    {
        var answer = await RunAsync(
            Scripts.Create,
            ct,
            job.Id,
            job.RequestId,
            job.BodySha256,
            job.Spec,
            job.SpecSha256,
            job.MaxAttempts,
            job.TraceParent,
            (long)RequestKept.TotalSeconds,
            JobRecordFields.Stored(job.Priority));
        var outcome = (int)answer[0] switch
        {
            1 => CreateOutcome.Created,
            0 => CreateOutcome.SameRequest,
            -1 => CreateOutcome.RequestReused,
            _ => CreateOutcome.IdTaken,
        };
        if (outcome == CreateOutcome.Created)
        {
            await Redis.HintAsync(_keys.Wake, job.Id);
        }

        return new CreateResult(outcome, answer[1].ToString());
    }

    public async Task<JobRecord?> GetAsync(string id, CancellationToken ct = default) =>
        JobRecordFields.Parse(id, await RunAsync(Scripts.Get, ct, id));

    /// <summary>Newest first, stable while jobs are created.</summary>
    /// <exception cref="PageTokenMismatchException">The token is of another list, or none of ours.</exception>
    public async Task<JobPage> ListAsync(int pageSize, string pageToken, CancellationToken ct = default)
    {
        var query = "jobs/" + Queue;
        var below = pageToken.Length == 0 ? "+inf" : PageToken.Decode(query, pageToken);
        var size = PageSize.Of(pageSize);
        var answer = await RunAsync(Scripts.List, ct, below, size + 1);
        var items = new List<JobRecord>();
        for (var index = 0; index + 2 < answer.Length && items.Count < size; index += 3)
        {
            if (JobRecordFields.Parse(answer[index].ToString(), answer[index + 2]) is { } job)
            {
                items.Add(job);
            }
        }

        var hasMore = answer.Length > 3 * size;
        return new JobPage(items, hasMore ? PageToken.Encode(query, answer[(3 * size) - 2].ToString()) : "");
    }

    public async Task<CancelOutcome> CancelAsync(string id, CancelCause cause = CancelCause.Caller, CancellationToken ct = default)
    {
        Archive?.WriteCancel(id, cause);
        var answer = await RunAsync(
            Scripts.Cancel, ct, id, JobRecordFields.Stored(cause), JobFault.Encode(cause == CancelCause.Pause ? JobFault.Paused : JobFault.Cancelled));
        var outcome = (CancelOutcome)(int)answer;
        if (outcome == CancelOutcome.Unchanged && (await GetAsync(id, ct))?.State is not (JobState.Cancelling or JobState.Cancelled))
        {
            Archive?.RemoveCancel(id);
        }

        await Redis.HintAsync(_keys.Cancels, id);
        await HintChangeAsync(id);
        return outcome;
    }

    /// <summary>Asks the worker of a running job to save a checkpoint after its step and go on; false for any other job.</summary>
    public async Task<bool> RequestCheckpointAsync(string id, CancellationToken ct = default)
    {
        var isAsked = (int)await RunAsync(Scripts.Ask, ct, id) == 1;
        await Redis.HintAsync(_keys.Cancels, id);
        return isAsked;
    }

    /// <summary>Queues a failed or cancelled job again; false for any other.</summary>
    public async Task<bool> ResumeAsync(string id, CancellationToken ct = default)
    {
        if (Archive is not null && (await GetAsync(id, ct))?.State is JobState.Failed or JobState.Cancelled)
        {
            Archive.Reopen(id);
        }

        var isQueued = (int)await RunAsync(Scripts.Resume, ct, id) == 1;
        await HintChangeAsync(id);
        return isQueued;
    }

    /// <summary>Events after a sequence, oldest first; null for an unknown job.</summary>
    /// <exception cref="EventsTrimmedException">Some of them are not kept any more.</exception>
    public async Task<JobEventPage?> ReadEventsAsync(string id, long afterSequence, int max, CancellationToken ct = default)
    {
        var answer = await RunAsync(Scripts.ReadEvents, ct, id, afterSequence, max);
        if (answer.Length <= 0)
        {
            return null;
        }

        var (first, last) = ((long)answer[0], (long)answer[1]);
        if (afterSequence < first - 1)
        {
            throw new EventsTrimmedException(first);
        }

        return new JobEventPage(first, last, [.. ((RedisResult[])answer[2]!).Select(entry => JobEventText.Parse(entry.ToString()))]);
    }

    private async Task HintChangeAsync(string id)
    {
        await Redis.HintAsync(_keys.News, id);
        await Redis.HintAsync(_keys.Wake, id);
    }

    private Task<RedisResult> RunAsync(LuaScript script, CancellationToken ct, params RedisValue[] arguments) =>
        script.EvaluateAsync(Redis, [_keys.Lock], [_keys.Prefix, options.EventsKept, .. arguments], ct);

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
