using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using InstructTune.Client;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Standalone;

/// <summary>A whole InstructTune as a child process over a data folder; it can be killed and started again.</summary>
internal sealed class StandaloneProcess : IAsyncDisposable
{
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestStop = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private StandaloneProcess(string dataFolder, string? redis)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "InstructTune.Standalone"))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] arguments =
        [
            "--data", dataFolder, "--port", "0", "--Torch:Threads", "1",
            // Leases short enough for a test, long enough for a busy machine.
            "--Jobs:Duration", "00:00:06", "--Jobs:RenewalInterval", "00:00:01", "--Jobs:PollInterval", "00:00:00.050",
            "--Jobs:ReapInterval", "00:00:00.200", "--Jobs:RetryUnit", "00:00:00.100",
            .. redis is null ? Array.Empty<string>() : ["--redis", redis],
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public InstructTuneClient Client { get; private set; } = null!;

    public static async Task<StandaloneProcess> StartAsync(string dataFolder, string? redis = null)
    {
        var standalone = new StandaloneProcess(dataFolder, redis);
        try
        {
            await Eventually.HoldsAsync(() => standalone.TryConnect(dataFolder), "standalone is ready", LongestStart);
            return standalone;
        }
        catch (Exception exception)
        {
            await standalone.DisposeAsync();
            throw new InvalidOperationException("Standalone did not start. Its output: " + standalone.Log(), exception);
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        using (var kill = Process.Start("/bin/kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        using var limit = new CancellationTokenSource(LongestStop);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public string Log()
    {
        lock (_log)
        {
            return _log.ToString();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private bool TryConnect(string dataFolder)
    {
        if (_process.HasExited)
        {
            throw new InvalidOperationException($"It ended with code {_process.ExitCode}.");
        }

        var file = Path.Combine(dataFolder, "endpoint.json");
        // A process that was killed leaves its file behind.
        if (!File.Exists(file) || JsonSerializer.Deserialize<Endpoint>(File.ReadAllBytes(file), JsonSerializerOptions.Web) is not { } endpoint
            || endpoint.Pid != _process.Id)
        {
            return false;
        }

        Client = new InstructTuneClient(new ClientOptions { Address = new Uri(endpoint.Address), ApiKey = endpoint.ApiKey });
        return true;
    }

    private void Keep(string? line)
    {
        lock (_log)
        {
            _log.AppendLine(line);
        }
    }

    private sealed record Endpoint(string Address, string ApiKey, int Pid);
}
