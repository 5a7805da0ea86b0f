using Polly;
using StackExchange.Redis;

namespace InstructTune.Storage;

/// <summary>
/// One multiplexer for the whole process. A call ends within <see cref="RedisOptions.Patience"/>, with its answer or
/// with <see cref="StoreUnreachableException"/>; it never hangs. Connections come back by themselves.
/// </summary>
public sealed class RedisConnection : IAsyncDisposable
{
    private const int ConnectTimeoutMs = 10_000;
    private const int HeartbeatMs = 200;

    private readonly RedisOptions _options;
    private readonly TimeProvider _clock;
    private readonly ResiliencePipeline _pipeline;
    private readonly Lazy<Task<ConnectionMultiplexer>> _multiplexer;

    public RedisConnection(RedisOptions options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        var configuration = Configure(options);
        _pipeline = RedisPipeline.Build(options, clock);
        _multiplexer = new Lazy<Task<ConnectionMultiplexer>>(() => ConnectionMultiplexer.ConnectAsync(configuration));
    }

    /// <summary>Whether the store answered lately; for logs and health, never for decisions.</summary>
    public bool IsConnected => _multiplexer is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true, Result.IsConnected: true } };

    public async Task<T> ExecuteAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken ct)
    {
        try
        {
            return await _pipeline.ExecuteAsync(
                static async (state, token) =>
                {
                    var multiplexer = await state._multiplexer.Value.WaitAsync(token);
                    return await state.command(multiplexer.GetDatabase()).WaitAsync(token);
                },
                (_multiplexer, command),
                ct);
        }
        catch (Exception exception) when (RedisPipeline.IsUnreachable(exception))
        {
            throw new StoreUnreachableException(exception);
        }
    }

    /// <summary>Tells listeners something they would find out by polling too; lost where the store is away.</summary>
    public async Task HintAsync(string channel, string message)
    {
        if (IsConnected)
        {
            await (await _multiplexer.Value).GetSubscriber().PublishAsync(RedisChannel.Literal(channel), message, CommandFlags.FireAndForget);
        }
    }

    /// <summary>Calls back for every hint on a channel, across reconnects.</summary>
    public async Task ListenAsync(string channel, Action<string> onHint, CancellationToken ct)
    {
        await ExecuteAsync(
            async database =>
            {
                await database.Multiplexer.GetSubscriber().SubscribeAsync(RedisChannel.Literal(channel), (_, message) => onHint(message.ToString()));
                return true;
            },
            ct);
    }

    /// <summary>Another connection to the same store, for the self-check.</summary>
    internal RedisConnection Beside() => new(_options, _clock);

    public async ValueTask DisposeAsync()
    {
        if (!_multiplexer.IsValueCreated)
        {
            return;
        }

        var closing = CloseAsync(_multiplexer.Value);
        if (_multiplexer.Value.IsCompleted)
        {
            await closing;
        }

        // Otherwise a handshake is under way, and nobody should wait for it: it is closed when it ends.
    }

    private static async Task CloseAsync(Task<ConnectionMultiplexer> connecting)
    {
        var multiplexer = await connecting;
        await multiplexer.DisposeAsync();
    }

    private static ConfigurationOptions Configure(RedisOptions options)
    {
        var configuration = ConfigurationOptions.Parse(options.Configuration);
        var patienceMs = (int)options.Patience.TotalMilliseconds;
        configuration.AbortOnConnectFail = false;
        // What cannot be sent fails at once: the pipeline decides whether to ask again.
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        // Not bound by the patience: a call gives up waiting, the handshake with a busy server goes on.
        configuration.ConnectTimeout = Math.Max(configuration.ConnectTimeout, ConnectTimeoutMs);
        configuration.AsyncTimeout = patienceMs;
        configuration.SyncTimeout = patienceMs;
        // A lease may have a second left when the store is back: reconnecting must take less, with what jitter adds.
        configuration.HeartbeatInterval = TimeSpan.FromMilliseconds(HeartbeatMs);
        configuration.ReconnectRetryPolicy = new ExponentialRetry(deltaBackOffMilliseconds: HeartbeatMs / 4, maxDeltaBackOffMilliseconds: HeartbeatMs);
        return configuration;
    }
}
