using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
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
        string[] arguments =
        [
            "--bind", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "-q",
            "--memory", "64m", "--page", "1m", "--index", "4m",
            "--lua", "true", "--lua-transaction-mode", isAtomic ? "true" : "false",
            "--aof", "true", "--aof-commit-wait", isDurable ? "true" : "false", "--aof-memory", "8m", "--aof-page-size", "2m",
            "--device-type", "RandomAccess", "--checkpointdir", _folder.Path,
        ];
        _server = new GarnetServer(arguments);
        _server.Start();
    }

    /// <param name="isDurable">Whether every write waits for the disk; slower, and needed only where the server is killed.</param>
    /// <param name="isAtomic">Off only to show that the self-check notices.</param>
    public static GarnetStore Start(bool isDurable = false, bool isAtomic = true) => new(FreePort.Next(), isDurable, isAtomic);

    public override ValueTask DisposeAsync()
    {
        _server.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>redis-server as a child process; it can be killed, stopped and started again over the same folder.</summary>
public sealed class RedisStore : StoreServer
{
    private readonly TemporaryFolder _folder = new();
    private Process? _process;

    private RedisStore(int port)
        : base(port)
    {
    }

    /// <summary>Path of redis-server, or null where it is not installed.</summary>
    public static string? Program { get; } = Array.Find(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "redis-server")).ToArray(), File.Exists);

    public int ProcessId => _process!.Id;

    public static async Task<RedisStore> StartAsync()
    {
        var store = new RedisStore(FreePort.Next());
        await store.StartAgainAsync();
        return store;
    }

    public async Task StartAgainAsync()
    {
        _process = Process.Start(Program!, [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder.Path, "--logfile", _folder["redis.log"],
            "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction",
        ]);
        await Eventually.HoldsAsync(IsListening, "redis-server listens", TimeSpan.FromSeconds(30));
    }

    public async Task KillAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
    }

    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    public override async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process?.Dispose();
        _folder.Dispose();
    }

    private bool IsListening()
    {
        if (_process!.HasExited)
        {
            throw new InvalidOperationException("redis-server ended before it was ready: " + File.ReadAllText(_folder["redis.log"]));
        }

        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("/bin/kill", ["-" + name, ProcessId.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
