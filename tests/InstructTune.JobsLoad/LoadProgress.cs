using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.JobsLoad;

/// <summary>Says every few seconds how far a run is, so that a slow one and a stuck one can be told apart.</summary>
internal sealed class LoadProgress : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _telling;

    private LoadProgress(StoreKind kind, JobStore store, TimeProvider clock) => _telling = TellAsync(kind, store, clock, _stopping.Token);

    public static LoadProgress Start(StoreKind kind, JobStore store, TimeProvider clock) => new(kind, store, clock);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _telling;
        _stopping.Dispose();
    }

    private static async Task TellAsync(StoreKind kind, JobStore store, TimeProvider clock, CancellationToken ct)
    {
        var started = clock.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                var seconds = clock.GetElapsedTime(started).TotalSeconds;
                var asked = clock.GetTimestamp();
                var stats = await store.StatsAsync(ct);
                Console.WriteLine(
                    $"{kind} at {seconds:N0} s: {stats.Jobs} created, {stats.Queued} queued, {stats.Leased} leased, {stats.Jobs - stats.Queued - stats.Delayed - stats.Leased} ended; the store took {clock.GetElapsedTime(asked).TotalMilliseconds:N0} ms to say so");
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
        catch (StoreUnreachableException exception)
        {
            Console.WriteLine($"{kind}: {exception.Message}");
        }
    }
}
