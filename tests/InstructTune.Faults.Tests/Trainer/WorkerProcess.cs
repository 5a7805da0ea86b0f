using System.Diagnostics;

namespace InstructTune.Faults.Tests.Trainer;

/// <summary>A trainer in role Worker as a process of its own, that can be killed.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process _process;

    private WorkerProcess(Process process)
    {
        _process = process;
    }

    public static WorkerProcess Start(IEnumerable<KeyValuePair<string, string>> settings)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "InstructTune.Trainer.dll");
        var start = new ProcessStartInfo("dotnet") { ArgumentList = { program, "--urls", "http://127.0.0.1:0", "--Trainer:Role", "Worker" } };
        foreach (var (key, value) in settings)
        {
            start.ArgumentList.Add("--" + key);
            start.ArgumentList.Add(value);
        }

        start.UseShellExecute = false;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var process = Process.Start(start)!;

        // Read, or the pipes fill and the worker stands still.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new WorkerProcess(process);
    }

    /// <summary>SIGKILL: nothing of the process's own runs any more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
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
}
