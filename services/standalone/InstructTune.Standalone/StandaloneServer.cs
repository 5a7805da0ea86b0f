using InstructTune.Hosting;
using InstructTune.Modeling.Numerics;
using InstructTune.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace InstructTune.Standalone;

/// <summary>A whole InstructTune in this process. Disposing stops it in order: gateway, services, store.</summary>
internal sealed class StandaloneServer : IAsyncDisposable
{
    // A store that begins on a busy machine, over a long log, takes its time.
    private static readonly TimeSpan _storeStart = TimeSpan.FromSeconds(30);

    private readonly Stack<Func<ValueTask>> _undo = new();

    private StandaloneServer()
    {
    }

    /// <summary>The gateway's address, such as <c>http://127.0.0.1:8470</c>.</summary>
    public string Address { get; private set; } = "";

    public string ApiKey { get; private set; } = "";

    /// <exception cref="StartRefusedException">Something it needs is missing or taken; the message says what to do.</exception>
    public static async Task<StandaloneServer> StartAsync(StandaloneOptions options, CancellationToken cancellationToken)
    {
        var server = new StandaloneServer();
        try
        {
            await server.StartInOrderAsync(options, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_undo.TryPop(out var undo))
        {
            await undo();
        }
    }

    private async Task StartInOrderAsync(StandaloneOptions options, CancellationToken cancellationToken)
    {
        CheckMachine();
        var data = DataFolder.Open(options.DataFolder);
        OnStop(data.Dispose);
        ApiKey = data.ApiKey;

        var redis = options.Redis ?? StartStore(data);
        await CheckStoreAsync(redis, cancellationToken);
        if (options.Redis is null)
        {
            var saver = new StoreSaver(redis, data.StoreFolder, TimeProvider.System);
            _undo.Push(saver.DisposeAsync);
        }

        var sockets = Directory.CreateTempSubdirectory("instructtune-"); // 0700, and a path short enough for a socket
        OnStop(() => sockets.Delete(recursive: true));
        var socketPath = Path.Combine(sockets.FullName, "services.sock");

        var services = Applications.BuildServices(options, socketPath, data.StorageRoot, redis);
        await StartAsync(services, options, cancellationToken);
        var gateway = Applications.BuildGateway(options, socketPath, data.ApiKey);
        await StartAsync(gateway, options, cancellationToken);
        // First of all: watches end and work is given back, so that the gateway need not wait for them.
        OnStop(services.Lifetime.StopApplication);

        Address = gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        data.WriteEndpoint(Address);
    }

    private static void CheckMachine()
    {
        try
        {
            HostRequirements.Check();
            Platform.Require();
        }
        catch (Exception exception) when (exception is InvalidOperationException or PlatformNotSupportedException)
        {
            throw new StartRefusedException(exception.Message, exception);
        }
    }

    private string StartStore(DataFolder data)
    {
        try
        {
            var store = EmbeddedStore.Start(data.StoreFolder);
            OnStop(store.Dispose);
            return store.Configuration;
        }
        catch (InvalidOperationException exception)
        {
            throw new StartRefusedException(exception.Message, exception);
        }
    }

    private static async Task CheckStoreAsync(string redis, CancellationToken cancellationToken)
    {
        try
        {
            var options = new RedisOptions { Configuration = redis, Patience = _storeStart };
            await using var connection = new RedisConnection(options, TimeProvider.System);
            await new StoreSelfCheck(connection).RunAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is StoreUnfitException or StoreUnreachableException or ArgumentException)
        {
            throw new StartRefusedException(exception.Message, exception);
        }
    }

    private async Task StartAsync(WebApplication app, StandaloneOptions options, CancellationToken cancellationToken)
    {
        _undo.Push(async () =>
        {
            await app.StopAsync(CancellationToken.None);
            await app.DisposeAsync();
        });
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException exception) when (exception.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new StartRefusedException(
                $"Port {options.Port} is in use: stop what listens there, or choose another with --port (0 takes a free one).", exception);
        }
    }

    private void OnStop(Action undo) => _undo.Push(() =>
    {
        undo();
        return ValueTask.CompletedTask;
    });
}
