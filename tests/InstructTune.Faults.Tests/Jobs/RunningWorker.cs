using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>A worker and a reaper of one queue in this process.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly JobSignals _signals;
    private readonly JobWorker _worker;
    private readonly LeaseReaper _reaper;

    private RunningWorker(RedisConnection redis, string queue, LeaseOptions options, IJobHandler handler)
    {
        Store = new JobStore(redis, queue, options);
        _signals = new JobSignals(Store, TimeProvider.System);
        _worker = new JobWorker(Store, _signals, handler, options, TimeProvider.System, NullLogger<JobWorker>.Instance);
        _reaper = new LeaseReaper(Store, options, TimeProvider.System, NullLogger<LeaseReaper>.Instance);
    }

    public JobStore Store { get; }

    public static async Task<RunningWorker> StartAsync(RedisConnection redis, string queue, LeaseOptions options, IJobHandler handler)
    {
        var running = new RunningWorker(redis, queue, options, handler);
        await running._reaper.StartAsync(CancellationToken.None);
        await running._worker.StartAsync(CancellationToken.None);
        return running;
    }

    public Task<CreateResult> CreateAsync(string id, CancellationToken ct) => Store.CreateAsync(new NewJob { Id = id, Spec = "{}" }, ct);

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
    }

    private async Task<JobRecord?> FindAsync(string id, CancellationToken ct)
    {
        try
        {
            return await Store.GetAsync(id, ct);
        }
        catch (StoreUnreachableException)
        {
            return null;
        }
    }
}
