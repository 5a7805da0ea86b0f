using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

/// <summary>A queue of its own on a real store, with the few steps most tests need.</summary>
internal sealed class JobQueue
{
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan Expired = TimeSpan.FromMilliseconds(-1);

    private JobQueue(RedisConnection redis, string name, LeaseOptions options, JobScripts? scripts = null)
    {
        Redis = redis;
        Name = name;
        Store = new JobStore(redis, name, options) { Scripts = scripts ?? JobScripts.AsWritten };
    }

    public RedisConnection Redis { get; }

    public string Name { get; }

    public JobStore Store { get; }

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<JobQueue> OpenAsync(StoreFixture stores, StoreKind kind, LeaseOptions? options = null, JobScripts? scripts = null) =>
        new(await stores.ConnectionAsync(kind), stores.NewQueue(), options ?? new LeaseOptions { RetryUnit = TimeSpan.Zero }, scripts);

    public static NewJob New(
        string id, string requestId = "", string body = "b", int maxAttempts = 5, JobPriority priority = JobPriority.Normal) => new()
    {
        Id = id,
        Priority = priority,
        RequestId = requestId,
        BodySha256 = body,
        Spec = $$"""{"job":"{{id}}"}""",
        SpecSha256 = "s",
        MaxAttempts = maxAttempts,
        TraceParent = "00-trace",
    };

    public Task<CreateResult> CreateAsync(string id, int maxAttempts = 5, JobPriority priority = JobPriority.Normal) =>
        Store.CreateAsync(New(id, maxAttempts: maxAttempts, priority: priority), Ct);

    public Task<JobRecord?> TryAcquireAsync(TimeSpan? lease = null, string node = "node") => Store.AcquireAsync("worker", node, lease ?? Lease, Ct);

    public async Task<JobRecord> AcquireAsync(TimeSpan? lease = null)
    {
        var job = await TryAcquireAsync(lease);
        Assert.NotNull(job);
        return job;
    }

    public async Task<JobRecord> RunningAsync(string id, TimeSpan? lease = null)
    {
        await CreateAsync(id);
        var job = await AcquireAsync(lease);
        Assert.Equal(id, job.Id);
        return job;
    }

    public async Task<JobRecord> GetAsync(string id)
    {
        var job = await Store.GetAsync(id, Ct);
        Assert.NotNull(job);
        return job;
    }

    public Task<ReportResult> ReportAsync(JobRecord job, long number, string text = "n") => Store.ReportAsync(
        new JobReport
        {
            Id = job.Id,
            Attempt = job.Attempt,
            Number = number,
            Body = new NoticeBody("NOTE", text, new Dictionary<string, string>()),
            Progress = 0.25,
        },
        Ct);

    public Task<ReportResult> CheckpointAsync(JobRecord job, long number, string expected, string checkpoint, long step) =>
        Store.ReportCheckpointAsync(job.Id, job.Attempt, number, expected, new CheckpointBody(checkpoint, step), Ct);

    public async Task<IReadOnlyList<JobEventEntry>> EventsAsync(string id)
    {
        var page = await Store.ReadEventsAsync(id, 0, 100_000, Ct);
        Assert.NotNull(page);
        return page.Entries;
    }

    /// <summary>The chain of states of a job, from its history.</summary>
    public async Task<string> ChainAsync(string id) => string.Join(
        ' ', (await EventsAsync(id)).Select(entry => entry.Body).OfType<StateChangedBody>().Select(change => change.To));
}
