using System.Globalization;
using InstructTune.Faults.Tests.Trainer;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Services;

/// <summary>Every service as a process, each behind a port that stays when the process is replaced, over the scene's store and folder.</summary>
internal sealed class ServiceProcesses(TrainerScene scene) : IAsyncDisposable
{
    public const string ApiKey = "a-key-of-sixteen-characters";

    /// <summary>In an order in which nobody misses a peer.</summary>
    public static readonly string[] All = ["Dataset", "Trainer", "Inference", "Evaluation", "Gateway"];

    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, FaultProxy> _ports = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WorkerProcess> _running = new(StringComparer.Ordinal);

    /// <summary>Settings beside those of the scene.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal) { ["Drain:Limit"] = "00:00:05" };

    /// <summary>Where a service is reached, whichever process answers.</summary>
    public string AddressOf(string service) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{PortOf(service).Port}");

    public WorkerProcess this[string service] => _running[service];

    /// <summary>Between a service and whoever reaches it.</summary>
    public FaultProxy PortOf(string service)
    {
        if (!_ports.TryGetValue(service, out var port))
        {
            _ports[service] = port = new FaultProxy(FreePort.Next());
        }

        return port;
    }

    public async Task StartAllAsync()
    {
        foreach (var service in All)
        {
            await StartAsync(service);
        }
    }

    /// <summary>Starts a process and sends new connections to it; the one before, where there is one, is returned and still runs.</summary>
    public async Task<WorkerProcess?> StartAsync(string service)
    {
        var port = FreePort.Next();
        var settings = new Dictionary<string, string>(scene.Settings, StringComparer.Ordinal)
        {
            ["urls"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
            ["Gateway:ApiKeys:0"] = ApiKey,
        };
        foreach (var peer in All)
        {
            settings["Peers:" + peer] = AddressOf(peer);
        }

        foreach (var (key, value) in Settings)
        {
            settings[key] = value;
        }

        var process = WorkerProcess.Start(settings, role: "Api", service: service);
        await process.SaysAsync("Application started", LongestStart);
        PortOf(service).TargetPort = port;
        _running.Remove(service, out var before);
        _running[service] = process;
        return before;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _running.Values)
        {
            process.Dispose();
        }

        foreach (var port in _ports.Values)
        {
            await port.DisposeAsync();
        }
    }
}
