using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>A worker and a reaper of one queue in this process.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly JobSignals _signals;
    private readonly JobWorker _worker;
    private readonly LeaseReaper _reaper;

    private readonly RedisConnection _calm;

    private RunningWorker(
        RedisConnection redis, RedisConnection calm, string queue, LeaseOptions options, IJobHandler handler, JobArchive? archive, TimeProvider clock)
    {
        _calm = calm;
        Calm = new JobStore(calm, queue, options) { Archive = archive };
        Store = new JobStore(redis, queue, options) { Archive = archive };
        _signals = new JobSignals(Store, clock);
        _worker = new JobWorker(Store, _signals, handler, options, clock, NullLogger<JobWorker>.Instance);
        _reaper = new LeaseReaper(Store, options, clock, NullLogger<LeaseReaper>.Instance)
        {
            Archiver = archive is null ? null : new JobArchiver(Store, archive, NullLogger<LeaseReaper>.Instance),
        };
    }

    /// <summary>The worker's store, over the connection that is spoilt.</summary>
    public JobStore Store { get; }

    /// <summary>The test's own way to the same queue: straight, and patient on a busy machine.</summary>
    public JobStore Calm { get; }

    /// <param name="redis">The worker's connection.</param>
    /// <param name="server">Where the test reads what became of the job.</param>
    /// <param name="queue">Its queue.</param>
    /// <param name="options">Its leases.</param>
    /// <param name="handler">Its work.</param>
    /// <param name="archive">What the disk keeps of its jobs; null for nothing.</param>
    /// <param name="clock">The worker's clock.</param>
    public static async Task<RunningWorker> StartAsync(
        RedisConnection redis, StoreServer server, string queue, LeaseOptions options, IJobHandler handler, JobArchive? archive = null, TimeProvider? clock = null)
    {
        var calm = new RedisConnection(new RedisOptions { Configuration = server.Configuration, Patience = Longest }, TimeProvider.System);
        var running = new RunningWorker(redis, calm, queue, options, handler, archive, clock ?? TimeProvider.System);
        await running._reaper.StartAsync(CancellationToken.None);
        await running._worker.StartAsync(CancellationToken.None);
        return running;
    }

    public Task<CreateResult> CreateAsync(string id, CancellationToken ct) => Calm.CreateAsync(new NewJob { Id = id, Spec = "{}" }, ct);

    /// <summary>The job once it has ended, whatever the store does meanwhile.</summary>
    public async Task<JobRecord> EndedAsync(string id, CancellationToken ct)
    {
        JobRecord? job = null;
        await Eventually.HoldsAsync(async () => (job = await FindAsync(id, ct)) is { } found && found.State.IsTerminal(), $"job {id} ends", Longest);
        return job!;
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.StopAsync(CancellationToken.None);
        await _reaper.StopAsync(CancellationToken.None);
        _worker.Dispose();
        _reaper.Dispose();
        _signals.Dispose();
        await _calm.DisposeAsync();
    }

    private async Task<JobRecord?> FindAsync(string id, CancellationToken ct)
    {
        try
        {
            return await Calm.GetAsync(id, ct);
        }
        catch (StoreUnreachableException)
        {
            return null;
        }
    }
}
