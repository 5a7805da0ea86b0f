using InstructTune.Storage;
using Xunit;

namespace InstructTune.Testing;

public enum StoreKind
{
    Garnet,
    Redis,
}

/// <summary>Both stores, each started once, at the first test that wants it.</summary>
public sealed class StoreFixture : IAsyncLifetime
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<StoreKind, StoreServer> _servers = [];
    private readonly Dictionary<StoreKind, RedisConnection> _connections = [];
    private int _queues;

    /// <summary>A server of this kind; skips the test where redis-server is not installed.</summary>
    public async Task<StoreServer> ServerAsync(StoreKind kind)
    {
        await _gate.WaitAsync();
        try
        {
            if (!_servers.TryGetValue(kind, out var server))
            {
                server = kind == StoreKind.Garnet ? GarnetStore.Start() : await StartRedisAsync();
                _servers[kind] = server;
            }

            return server;
        }
        finally
        {
            _gate.Release();
        }
    }

    public async Task<RedisConnection> ConnectionAsync(StoreKind kind)
    {
        var server = await ServerAsync(kind);
        await _gate.WaitAsync();
        try
        {
            if (!_connections.TryGetValue(kind, out var connection))
            {
                connection = new RedisConnection(new RedisOptions { Configuration = server.Configuration }, TimeProvider.System);
                _connections[kind] = connection;
            }

            return connection;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>A queue name no other test of this fixture has.</summary>
    public string NewQueue() => $"test-{Interlocked.Increment(ref _queues)}";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values)
        {
            await connection.DisposeAsync();
        }

        foreach (var server in _servers.Values)
        {
            await server.DisposeAsync();
        }

        _gate.Dispose();
    }

    private static async Task<StoreServer> StartRedisAsync() =>
        RedisStore.Program is null ? throw new SkippedTestException("redis-server is not installed.") : await RedisStore.StartAsync();
}
