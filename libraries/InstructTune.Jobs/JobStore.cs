using System.Globalization;
using InstructTune.Storage;
using StackExchange.Redis;
using LuaScript = InstructTune.Storage.LuaScript;

namespace InstructTune.Jobs;

/// <summary>
/// Calls the scripts; nothing else changes a job. Every method throws <see cref="StoreUnreachableException"/> within a
/// bounded time when the store is away.
/// </summary>
public sealed class JobStore(RedisConnection redis, string queue, LeaseOptions options)
{
    private const int RequestKeptSeconds = 24 * 60 * 60;

    private static readonly JobScripts Scripts = new();
    private readonly JobKeys _keys = new(queue);

    public JobStore(RedisConnection redis, string queue)
        : this(redis, queue, new LeaseOptions())
    {
    }

    public string Queue { get; } = queue;

    internal RedisConnection Redis { get; } = redis;

    internal JobKeys Keys => _keys;

    public async Task<CreateResult> CreateAsync(NewJob job, CancellationToken ct = default)
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
            RequestKeptSeconds);
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

    /// <summary>The oldest queued job this node may run, as a new attempt; null when there is none.</summary>
    public async Task<JobRecord?> AcquireAsync(string worker, string node, TimeSpan lease, CancellationToken ct = default)
    {
        var answer = await RunAsync(Scripts.Acquire, ct, worker, node, Milliseconds(lease));
        if (answer.Length <= 0)
        {
            return null;
        }

        var id = answer[0].ToString();
        await Redis.HintAsync(_keys.News, id);
        return JobRecordFields.Parse(id, answer[1]);
    }

    public async Task<RenewOutcome> RenewAsync(string id, int attempt, TimeSpan lease, CancellationToken ct = default) =>
        (RenewOutcome)(int)await RunAsync(Scripts.Renew, ct, id, attempt, Milliseconds(lease));

    public async Task<ReportResult> ReportAsync(JobReport report, CancellationToken ct = default)
    {
        var change = report.Change;
        var answer = await RunAsync(
            Scripts.Report,
            ct,
            report.Id,
            report.Attempt,
            report.Number,
            JobEventText.EncodePayload(report.Body),
            report.Progress?.ToString("R", CultureInfo.InvariantCulture) ?? "",
            report.Body is PhaseBody phase ? phase.Phase : "",
            change switch { null => "", { IsRollback: true } => "rollback", _ => "checkpoint" },
            change?.Expected ?? "",
            change?.Checkpoint ?? "",
            change?.Step ?? -1);
        await Redis.HintAsync(_keys.News, report.Id);
        return new ReportResult((long)answer[0], (int)answer[1] == 1);
    }

    /// <summary>Publishes a checkpoint: the only way one comes to exist.</summary>
    public Task<ReportResult> ReportCheckpointAsync(
        string id, int attempt, long number, string expected, CheckpointBody checkpoint, CancellationToken ct = default) =>
        ReportAsync(
            new JobReport
            {
                Id = id,
                Attempt = attempt,
                Number = number,
                Body = checkpoint,
                Change = new CheckpointChange(expected, checkpoint.Checkpoint, checkpoint.Step, IsRollback: false),
            },
            ct);

    public Task<CompleteOutcome> CompleteSucceededAsync(
        string id, int attempt, string expectedCheckpoint, string result, CancellationToken ct = default) =>
        CompleteAsync(id, attempt, JobState.Succeeded, expectedCheckpoint, result, null, ct);

    public Task<CompleteOutcome> CompleteFailedAsync(string id, int attempt, JobFault fault, CancellationToken ct = default) =>
        CompleteAsync(id, attempt, JobState.Failed, "", "", fault, ct);

    public Task<CompleteOutcome> CompleteCancelledAsync(string id, int attempt, CancellationToken ct = default) =>
        CompleteAsync(id, attempt, JobState.Cancelled, "", "", JobFault.Cancelled, ct);

    /// <summary>Gives the job back; a counted fault sends it through a pause of 2^failures units.</summary>
    public async Task<ReleaseOutcome> ReleaseAsync(
        string id, int attempt, ReleaseKind kind, JobFault? fault, string excludedNode = "", CancellationToken ct = default)
    {
        var outcome = (ReleaseOutcome)(int)await RunAsync(
            Scripts.Release,
            ct,
            id,
            attempt,
            kind switch { ReleaseKind.Preempted => "PREEMPTED", ReleaseKind.OutOfMemory => "OUT_OF_MEMORY", _ => "INFRASTRUCTURE" },
            excludedNode,
            JobFault.Encode(fault),
            JobFault.Encode(fault?.Exhausted()),
            JobFault.Encode(JobFault.Cancelled),
            Milliseconds(options.RetryUnit),
            Milliseconds(options.RetryMax),
            RetryJitter.Of(id, attempt).ToString("R", CultureInfo.InvariantCulture));
        await HintChangeAsync(id);
        return outcome;
    }

    public async Task<CancelOutcome> CancelAsync(string id, CancelCause cause = CancelCause.Caller, CancellationToken ct = default)
    {
        var answer = await RunAsync(
            Scripts.Cancel, ct, id, cause == CancelCause.Pause ? "PAUSE" : "CALLER", JobFault.Encode(JobFault.Cancelled));
        await Redis.HintAsync(_keys.Cancels, id);
        await HintChangeAsync(id);
        return (CancelOutcome)(int)answer;
    }

    /// <summary>Queues a failed or cancelled job again; false for any other.</summary>
    public async Task<bool> ResumeAsync(string id, CancellationToken ct = default)
    {
        var isQueued = (int)await RunAsync(Scripts.Resume, ct, id) == 1;
        await HintChangeAsync(id);
        return isQueued;
    }

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

    private async Task<CompleteOutcome> CompleteAsync(
        string id, int attempt, JobState outcome, string expected, string result, JobFault? fault, CancellationToken ct)
    {
        var answer = await RunAsync(Scripts.Complete, ct, id, attempt, outcome.StoredName(), expected, result, JobFault.Encode(fault));
        await HintChangeAsync(id);
        return (CompleteOutcome)(int)answer;
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
