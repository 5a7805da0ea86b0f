using System.Diagnostics;
using InstructTune.Cli.CommandLine;
using InstructTune.Client;

namespace InstructTune.Cli.Server;

/// <summary>
/// The standalone server as a child. It ends with this process in every case: it watches its standard input, which the system
/// closes even when this process is killed.
/// </summary>
internal sealed class StandaloneProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly TimeProvider _time;
    private readonly RecentLines _lines;
    private readonly Task _output;
    private readonly Task _errors;

    private StandaloneProcess(Process process, TimeProvider time, RecentLines lines)
    {
        _process = process;
        _time = time;
        _lines = lines;
        _output = lines.ReadAsync(process.StandardOutput);
        _errors = lines.ReadAsync(process.StandardError);
    }

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>What it said last.</summary>
    public string LastLine => _lines.BestExplanation();

    /// <summary>Starts the server; every line it writes goes to <paramref name="onLine"/>.</summary>
    public static StandaloneProcess Start(StandaloneArguments arguments, TimeProvider time, Action<string> onLine)
    {
        var binary = StandaloneBinary.Find();
        var start = new ProcessStartInfo(binary.Command)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in binary.Arguments.Concat(arguments.ToList()))
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start) ?? throw new CliException($"{binary.Command} could not be started.");
        return new StandaloneProcess(process, time, new RecentLines(onLine));
    }

    /// <summary>Waits until the server answers, and says where.</summary>
    public async Task<ServerEndpoint> WaitUntilReadyAsync(string dataFolder, CancellationToken ct)
    {
        var path = Path.Combine(dataFolder, ServerEndpoint.FileName);
        while (true)
        {
            if (_process.HasExited)
            {
                await Task.WhenAll(_output, _errors);
                throw new CliException($"The server did not start: {_lines.BestExplanation()}");
            }

            // An older file may still lie there; ours names our process.
            if (ServerEndpoint.TryRead(path) is { } endpoint && endpoint.ProcessId == _process.Id)
            {
                return endpoint;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), _time, ct);
        }
    }

    /// <summary>Waits until the server has ended by itself.</summary>
    public async Task WaitAsync(CancellationToken ct)
    {
        await _process.WaitForExitAsync(ct);
        await Task.WhenAll(_output, _errors);
    }

    /// <summary>Asks the server to end in good order and waits; kills it when it does not, or when the wait is cancelled.</summary>
    public async Task StopAsync(CancellationToken ct = default)
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            try
            {
                await _process.WaitForExitAsync(ct).WaitAsync(StopTimeout, _time, ct);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        await Task.WhenAll(_output, _errors);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }
}
