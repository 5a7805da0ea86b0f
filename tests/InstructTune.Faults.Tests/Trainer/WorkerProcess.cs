using System.Diagnostics;
using System.Globalization;
using System.Text;
using InstructTune.Faults.Tests.Hooks;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>A trainer, or another service, as a process of its own, that can be killed, stopped and frozen, and whose fail points can be armed.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(40);

    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private WorkerProcess(Process process)
    {
        _process = process;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        // Read, or the pipes fill and the worker stands still.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public bool HasExited => _process.HasExited;

    public static WorkerProcess Start(
        IEnumerable<KeyValuePair<string, string>> settings, FaultPlan? fault = null, string role = "Worker", string service = "Trainer")
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "InstructTune." + service))
        {
            ArgumentList = { "--Trainer:Role", role },
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!settings.Any(setting => setting.Key == "urls"))
        {
            start.ArgumentList.Add("--urls");
            start.ArgumentList.Add("http://127.0.0.1:0");
        }

        foreach (var (key, value) in settings)
        {
            start.ArgumentList.Add("--" + key);
            start.ArgumentList.Add(value);
        }

        if (fault is not null)
        {
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(WorkerProcess).Assembly.Location;
            start.Environment[FaultPlan.Variable] = fault.ToString();
        }

        return new WorkerProcess(Process.Start(start)!);
    }

    /// <summary>SIGKILL: nothing of the process's own runs any more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Such as <c>TERM</c>, <c>STOP</c> and <c>CONT</c>.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end; returns the exit code.</summary>
    public async Task<int> ExitAsync()
    {
        using var limit = new CancellationTokenSource(LongestStop);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Waits until it says so in its log.</summary>
    public Task SaysAsync(string text, TimeSpan? longest = null) =>
        Eventually.HoldsAsync(() => Log().Contains(text, StringComparison.Ordinal), $"the log has '{text}'", longest);

    public string Log()
    {
        lock (_log)
        {
            return _log.ToString();
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (_log)
        {
            _log.AppendLine(line);
        }
    }
}
