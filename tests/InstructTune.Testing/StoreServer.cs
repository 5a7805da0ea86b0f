using System.Globalization;
using Garnet;

namespace InstructTune.Testing;

/// <summary>A server for one test collection, over a folder of its own.</summary>
public abstract class StoreServer : IAsyncDisposable
{
    protected StoreServer(int port) => Port = port;

    public int Port { get; }

    public string Configuration => $"127.0.0.1:{Port}";

    public abstract ValueTask DisposeAsync();
}

/// <summary>Garnet in this process, as standalone runs it.</summary>
public sealed class GarnetStore : StoreServer
{
    private readonly TemporaryFolder _folder = new();
    private readonly GarnetServer _server;

    private GarnetStore(int port, bool isDurable, bool isAtomic)
        : base(port)
    {
        _server = new GarnetServer(Arguments(port, _folder.Path, isDurable, isAtomic));
        _server.Start();
    }

    /// <param name="isDurable">Whether every write waits for the disk; slower, and needed only where the server is killed.</param>
    /// <param name="isAtomic">Off only to show that the self-check notices.</param>
    public static GarnetStore Start(bool isDurable = false, bool isAtomic = true) => new(FreePort.Next(), isDurable, isAtomic);

    /// <summary>The command line of a Garnet like the one that standalone runs.</summary>
    public static string[] Arguments(int port, string folder, bool isDurable, bool isAtomic) =>
    [
        "--bind", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "-q",
        "--memory", "2g", "--page", "1m", "--index", "4m",
        "--lua", "true", "--lua-transaction-mode", isAtomic ? "true" : "false",
        "--aof", "true", "--aof-commit-wait", isDurable ? "true" : "false", "--aof-memory", "8m", "--aof-page-size", "2m",
        "--device-type", "RandomAccess", "--checkpointdir", folder, "--recover", "true",
    ];

    public override ValueTask DisposeAsync()
    {
        _server.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
