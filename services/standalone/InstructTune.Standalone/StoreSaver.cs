using InstructTune.Storage;

namespace InstructTune.Standalone;

/// <summary>
/// Has the embedded store write a checkpoint once a minute when something changed. Its log keeps what it acknowledged, grows
/// until a checkpoint, and is read from end to end at the next start.
/// </summary>
internal sealed class StoreSaver : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(60);

    private readonly RedisConnection _redis;
    private readonly string _logFolder;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _saving;
    private DateTime _saved;

    public StoreSaver(string configuration, string storeFolder, TimeProvider clock)
    {
        // BGSAVE is a command of administrators, which the client refuses to send otherwise.
        _redis = new RedisConnection(new RedisOptions { Configuration = configuration + ",allowAdmin=true" }, clock);
        _logFolder = Path.Combine(storeFolder, "AOF");
        _clock = clock;
        _saving = SaveAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _saving;
        await _redis.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>Writes a checkpoint where the log has grown since the last one; false where nothing had to be done.</summary>
    internal async Task<bool> SaveIfDirtyAsync(CancellationToken ct)
    {
        if (NewestWrite() <= _saved)
        {
            return false;
        }

        await _redis.ExecuteAsync(database => database.ExecuteAsync("BGSAVE"), ct);
        // The checkpoint itself ends with a mark in the log.
        _saved = NewestWrite() + TimeSpan.FromSeconds(1);
        return true;
    }

    private async Task SaveAsync()
    {
        using var timer = new PeriodicTimer(Interval, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                await TrySaveAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The server is stopping.
        }
    }

    private async Task TrySaveAsync()
    {
        try
        {
            await SaveIfDirtyAsync(_stopping.Token);
        }
        catch (Exception exception) when (exception is StoreUnreachableException or IOException || exception.Message.Contains("in progress", StringComparison.Ordinal))
        {
            // Nothing is lost: the log has it, and the next minute comes.
        }
    }

    private DateTime NewestWrite() => Directory.Exists(_logFolder)
        ? Directory.EnumerateFiles(_logFolder, "aof.log.*").Select(File.GetLastWriteTimeUtc).DefaultIfEmpty(DateTime.MinValue).Max()
        : DateTime.MinValue;
}
