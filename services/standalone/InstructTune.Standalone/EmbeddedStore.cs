using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Garnet;

namespace InstructTune.Standalone;

/// <summary>
/// A store inside this process, for one machine: Garnet on a loopback port with a password of its own. What it
/// acknowledged is on the disk.
/// </summary>
internal sealed class EmbeddedStore : IDisposable
{
    private const long SmallestFreeBytes = 64L << 20;

    private readonly GarnetServer _server;
    private int _isDisposed;

    private EmbeddedStore(GarnetServer server, int port, string password)
    {
        _server = server;
        Configuration = $"127.0.0.1:{port},password={password}";
    }

    /// <summary>Connection string of <c>Redis:Configuration</c>.</summary>
    public string Configuration { get; }

    /// <summary>Starts the store over its folder; what the folder holds is recovered.</summary>
    public static EmbeddedStore Start(string folder)
    {
        Directory.CreateDirectory(folder);
        RequireSpace(folder);
        var port = FreePort();
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        try
        {
            var server = new GarnetServer(Arguments(folder, port, password));
            server.Start();
            return new EmbeddedStore(server, port, password);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new InvalidOperationException(
                $"The embedded store could not start over {folder}: {exception.Message} Free disk space, or name a Redis server with --redis host:port.", exception);
        }
    }

    public void Dispose()
    {
        // Garnet throws when it is disposed twice.
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _server.Dispose();
        }
    }

    // A store that cannot write its log neither answers nor ends.
    private static void RequireSpace(string folder)
    {
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < SmallestFreeBytes)
        {
            throw new InvalidOperationException(
                $"The disk of {folder} is full: {free >> 20} MiB are free, and the embedded store needs {SmallestFreeBytes >> 20}. Free disk space, or choose another folder with --data.");
        }
    }

    private static string[] Arguments(string folder, int port, string password) =>
    [
        "--bind", "127.0.0.1",
        "--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture),
        "-q",
        // A ceiling, taken as it is needed: what does not fit is evicted, and an evicted job is lost. 20,000 jobs take 0.2 GB.
        "--memory", "2g",
        "--page", "1m",
        "--index", "4m",
        "--lua", "true",
        // Without it scripts are not atomic and updates are lost.
        "--lua-transaction-mode", "true",
        "--aof", "true",
        "--aof-commit-wait", "true",
        "--aof-memory", "8m",
        "--aof-page-size", "2m",
        // The default device needs libaio; without that library the first write would end this process.
        "--device-type", "RandomAccess",
        "--checkpointdir", folder,
        "--recover", "true",
        "--auth", "Password",
        "--password", password,
    ];

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
