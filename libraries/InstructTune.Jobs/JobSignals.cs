using InstructTune.Storage;

namespace InstructTune.Jobs;

/// <summary>
/// Lets followers and idle workers of this process sleep until a hint arrives. Hints may be lost: whoever waits also
/// polls. Waiters share a fixed number of buckets, so that memory stays flat; a wrong wake-up costs one look.
/// </summary>
internal sealed class JobSignals(JobStore store, TimeProvider clock) : IDisposable
{
    private const int BucketCount = 64;

    private readonly TaskCompletionSource[] _news = [.. Enumerable.Range(0, BucketCount).Select(_ => NewSignal())];
    private readonly TaskCompletionSource[] _cancels = [.. Enumerable.Range(0, BucketCount).Select(_ => NewSignal())];
    private readonly SemaphoreSlim _listenGate = new(1, 1);
    private TaskCompletionSource _wake = NewSignal();
    private volatile bool _isListening;

    /// <summary>Completes at the next news of the job. Take it before looking, wait for it after.</summary>
    public Task NewsOf(string id) => Volatile.Read(ref _news[BucketOf(id)]).Task;

    /// <summary>Completes at the next news that a job is to be cancelled.</summary>
    public Task CancelOf(string id) => Volatile.Read(ref _cancels[BucketOf(id)]).Task;

    /// <summary>Completes at the next hint that there is work.</summary>
    public Task Wake => Volatile.Read(ref _wake).Task;

    /// <summary>Subscribes once; where the store is away, waiting falls back to polling.</summary>
    public async Task ListenAsync(CancellationToken ct)
    {
        if (_isListening)
        {
            return;
        }

        await _listenGate.WaitAsync(ct);
        try
        {
            if (!_isListening)
            {
                await store.Redis.ListenAsync(store.Keys.News, id => Raise(ref _news[BucketOf(id)]), ct);
                await store.Redis.ListenAsync(store.Keys.Cancels, id => Raise(ref _cancels[BucketOf(id)]), ct);
                await store.Redis.ListenAsync(store.Keys.Wake, _ => Raise(ref _wake), ct);
                _isListening = true;
            }
        }
        catch (StoreUnreachableException)
        {
            // The next caller tries again.
        }
        finally
        {
            _listenGate.Release();
        }
    }

    /// <summary>Returns when the signal is raised or the time is over.</summary>
    public async Task WaitAsync(Task signal, TimeSpan longest, CancellationToken ct)
    {
        try
        {
            await signal.WaitAsync(longest, clock, ct);
        }
        catch (TimeoutException)
        {
            // Time to look without a hint.
        }
    }

    public void Dispose() => _listenGate.Dispose();

    private static void Raise(ref TaskCompletionSource signal) => Interlocked.Exchange(ref signal, NewSignal()).TrySetResult();

    private static int BucketOf(string id) => (int)((uint)StringComparer.Ordinal.GetHashCode(id) % BucketCount);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
