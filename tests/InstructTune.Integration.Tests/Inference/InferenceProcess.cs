using System.Diagnostics;
using System.Globalization;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>The inference service in a process of its own.</summary>
internal sealed class InferenceProcess : IDisposable
{
    private readonly Process _process;

    private InferenceProcess(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    /// <summary>Starts it and waits until it listens.</summary>
    public static async Task<InferenceProcess> StartAsync(params (string Key, string Value)[] settings)
    {
        var address = $"http://127.0.0.1:{FreePort.Next().ToString(CultureInfo.InvariantCulture)}";
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "InstructTune.Inference")) { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var (key, value) in settings.Append(("urls", address)))
        {
            start.ArgumentList.Add("--" + key);
            start.ArgumentList.Add(value);
        }
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Contains("Now listening on", StringComparison.Ordinal))
            {
                _ = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
                return new InferenceProcess(process, address);
            }
        }
        throw new InvalidOperationException($"The inference service ended with {process.ExitCode} before it listened.");
    }

    /// <summary>Files that are mapped into it.</summary>
    public string[] MappedFiles() =>
        [.. File.ReadLines($"/proc/{_process.Id}/maps").Where(line => line.Contains('/', StringComparison.Ordinal)).Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..]).Distinct()];

    /// <summary>What it has in memory now.</summary>
    public long ResidentBytes => Status("VmRSS:");

    /// <summary>The most that it had.</summary>
    public long PeakBytes => Status("VmHWM:");

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private long Status(string key)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(key, StringComparison.Ordinal));
        return long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
