using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace InstructTune.Testing;

/// <summary>A store as a child process over a folder of its own; it can be killed, frozen, and started again over the same folder.</summary>
public abstract class ProcessStore : StoreServer
{
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private Process? _process;

    protected ProcessStore()
        : base(FreePort.Next())
    {
    }

    public int ProcessId => _process!.Id;

    /// <summary>Where its files are.</summary>
    public string Folder => _folder.Path;

    /// <summary>What it said.</summary>
    public string LogFile => _folder["store.log"];

    /// <summary>A server of this kind that writes every acknowledged change to the disk; skips the test where it is not installed.</summary>
    public static async Task<ProcessStore> StartAsync(StoreKind kind)
    {
        if (kind == StoreKind.Redis && RedisStore.Program is null)
        {
            throw new SkippedTestException("redis-server is not installed.");
        }

        ProcessStore store = kind == StoreKind.Redis ? new RedisStore() : new GarnetProcess();
        await store.StartAgainAsync();
        return store;
    }

    public async Task StartAgainAsync()
    {
        _process?.Dispose();
        _process = Launch();
        await Eventually.HoldsAsync(IsListening, $"{GetType().Name} listens", LongestStart);
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

    protected abstract Process Launch();

    private bool IsListening()
    {
        if (_process!.HasExited)
        {
            throw new InvalidOperationException(
                $"{GetType().Name} ended with {_process.ExitCode} before it was ready: " + (File.Exists(LogFile) ? File.ReadAllText(LogFile) : "no log"));
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

/// <summary>redis-server with the durability that jobs need.</summary>
public sealed class RedisStore : ProcessStore
{
    internal RedisStore()
    {
    }

    /// <summary>Path of redis-server, or null where it is not installed.</summary>
    public static string? Program { get; } = Array.Find(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "redis-server")).ToArray(), File.Exists);

    public static async Task<RedisStore> StartAsync() => (RedisStore)await StartAsync(StoreKind.Redis);

    protected override Process Launch() => Process.Start(Program!, [
        "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", Folder, "--logfile", LogFile,
        "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction",
    ]);
}

/// <summary>Garnet in a process of its own, durable, as standalone runs it in its.</summary>
public sealed class GarnetProcess : ProcessStore
{
    internal GarnetProcess()
    {
    }

    protected override Process Launch() => Process.Start(
        Path.Combine(AppContext.BaseDirectory, "InstructTune.JobsLoad"), ["garnet", Port.ToString(CultureInfo.InvariantCulture), Folder]);
}
