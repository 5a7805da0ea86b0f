using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using InstructTune.Testing;

namespace InstructTune.EndToEnd.Tests;

/// <summary>A program that runs, with the lines it writes. Killed, with its children, when a test leaves it behind.</summary>
internal sealed class CommandLineProgram : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);
    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly List<string> _out = [];
    private readonly List<string> _error = [];
    private readonly Task _reading;

    private CommandLineProgram(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput, _out), ReadAsync(process.StandardError, _error));
    }

    public int Id => _process.Id;

    /// <summary>The script at the root of the repository: what a user types.</summary>
    public static string InstructTune { get; } = Path.Combine(RepositoryRoot.Path, "instructtune");

    /// <summary>Starts a program; environment variables are NAME=VALUE.</summary>
    public static CommandLineProgram Start(string program, IEnumerable<string> arguments, params string[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var variable in environment)
        {
            var pair = variable.Split('=', 2);
            start.Environment[pair[0]] = pair[1];
        }

        return new CommandLineProgram(Process.Start(start)!);
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<ProgramResult> RunAsync(string program, IEnumerable<string> arguments, params string[] environment)
    {
        await using var running = Start(program, arguments, environment);
        return await running.EndAsync();
    }

    public async Task<ProgramResult> EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Patience);
        await _reading;
        return new ProgramResult(_process.ExitCode, string.Join('\n', _out), string.Join('\n', _error));
    }

    /// <summary>Waits for a line of either stream that holds the text.</summary>
    public async Task<string> LineAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        var seen = new List<string>();
        await foreach (var line in _lines.Reader.ReadAllAsync(patience.Token))
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }

            seen.Add(line);
        }

        throw new InvalidOperationException($"No line with '{text}' came; instead:\n{string.Join('\n', seen)}");
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/kill", ["-" + name, Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader, List<string> kept)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (kept)
            {
                kept.Add(line);
            }

            await _lines.Writer.WriteAsync(line);
        }

        if (ReferenceEquals(kept, _error))
        {
            _lines.Writer.TryComplete();
        }
    }
}

internal sealed record ProgramResult(int ExitCode, string Out, string Error)
{
    public string All => Out + "\n" + Error;
}
