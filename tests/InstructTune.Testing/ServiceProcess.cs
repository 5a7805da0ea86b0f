using System.Diagnostics;
using System.Globalization;

namespace InstructTune.Testing;

/// <summary>A service in a process of its own.</summary>
public sealed class ServiceProcess : IDisposable
{
    private readonly Process _process;

    private ServiceProcess(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    public int Id => _process.Id;

    /// <summary>Starts a program and waits until it listens.</summary>
    public static async Task<ServiceProcess> StartAsync(string program, CancellationToken cancellationToken, params (string Key, string Value)[] settings)
    {
        var address = $"http://127.0.0.1:{FreePort.Next().ToString(CultureInfo.InvariantCulture)}";
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var (key, value) in settings.Append(("urls", address)))
        {
            start.ArgumentList.Add("--" + key);
            start.ArgumentList.Add(value);
        }

        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Contains("Now listening on", StringComparison.Ordinal))
            {
                _ = DiscardAsync(process.StandardOutput);
                return new ServiceProcess(process, address);
            }
        }

        await process.WaitForExitAsync(cancellationToken);
        throw new InvalidOperationException($"{Path.GetFileName(program)} ended with {process.ExitCode} before it listened.");
    }

    /// <summary>Files that are mapped into it.</summary>
    public string[] MappedFiles() =>
        [.. File.ReadLines($"/proc/{Id}/maps").Where(line => line.Contains('/', StringComparison.Ordinal)).Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..]).Distinct()];

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
        var line = File.ReadLines($"/proc/{Id}/status").First(line => line.StartsWith(key, StringComparison.Ordinal));
        return long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }

    /// <summary>Nobody reads what it logs, and it must not wait for a reader.</summary>
    private static async Task DiscardAsync(StreamReader output)
    {
        try
        {
            while (await output.ReadLineAsync() is not null)
            {
            }
        }
        catch (ObjectDisposedException)
        {
            // The process was ended.
        }
    }
}
