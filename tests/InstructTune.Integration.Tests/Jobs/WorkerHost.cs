using InstructTune.Jobs;
using InstructTune.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace InstructTune.Integration.Tests.Jobs;

/// <summary>A worker and a reaper over one queue, with leases short enough for tests.</summary>
internal sealed class WorkerHost : IAsyncDisposable
{
    private readonly JobSignals _signals;
    private readonly JobWorker _worker;
    private readonly LeaseReaper _reaper;
    private bool _isStopped;

    private WorkerHost(RedisConnection redis, string queue, LeaseOptions options, IJobHandler handler)
    {
        Store = new JobStore(redis, queue, options);
        _signals = new JobSignals(Store, TimeProvider.System);
        _worker = new JobWorker(Store, _signals, handler, options, TimeProvider.System, NullLogger<JobWorker>.Instance);
        _reaper = new LeaseReaper(Store, options, TimeProvider.System, NullLogger<LeaseReaper>.Instance);
    }

    public JobStore Store { get; }

    public static LeaseOptions Options => new()
    {
        Duration = TimeSpan.FromSeconds(3),
        RenewalInterval = TimeSpan.FromMilliseconds(500),
        PollInterval = TimeSpan.FromMilliseconds(50),
        ReapInterval = TimeSpan.FromMilliseconds(100),
        RetryUnit = TimeSpan.Zero,
    };

    public static async Task<WorkerHost> StartAsync(
        RedisConnection redis, string queue, Func<JobContext, CancellationToken, Task<string>> work, LeaseOptions? options = null)
    {
        var host = new WorkerHost(redis, queue, options ?? Options, new DelegateHandler(work));
        await host._reaper.StartAsync(CancellationToken.None);
        await host._worker.StartAsync(CancellationToken.None);
        return host;
    }

    public async Task StopAsync()
    {
        if (!_isStopped)
        {
            _isStopped = true;
            await _worker.StopAsync(CancellationToken.None);
            await _reaper.StopAsync(CancellationToken.None);
        }
    }

    /// <summary>The job once it has ended.</summary>
    public async Task<JobRecord> EndedAsync(string id)
    {
        await foreach (var _ in new JobEvents(Store).FollowAsync(id, 0, JobQueue.Ct).WithCancellation(JobQueue.Ct))
        {
            // Followed to its end.
        }

        return (await Store.GetAsync(id, JobQueue.Ct))!;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _worker.Dispose();
        _reaper.Dispose();
        _signals.Dispose();
    }

    private sealed class DelegateHandler(Func<JobContext, CancellationToken, Task<string>> work) : IJobHandler
    {
        public Task<string> RunAsync(JobContext context, CancellationToken ct) => work(context, ct);
    }
}
