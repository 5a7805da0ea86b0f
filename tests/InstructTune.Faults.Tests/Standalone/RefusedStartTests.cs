using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Standalone;

/// <summary>What the embedded store cannot work with is said at the start, with what to do about it.</summary>
[Trait("fault", "36")]
public sealed class RefusedStartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Full_disk_is_refused_with_a_sentence()
    {
        var mount = Directory.CreateDirectory(_folder["small"]).FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount) == 0, "This user cannot mount a small disk.");
        try
        {
            var (exitCode, error) = await StartAsync("--data", Path.Combine(mount, "data"), "--port", "0");
            Assert.NotEqual(0, exitCode);
            Assert.Contains("disk space", error, StringComparison.Ordinal);
        }
        finally
        {
            Run("umount", "-l", mount);
        }
    }

    [Fact]
    public async Task Port_in_use_is_refused_with_a_sentence()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var (exitCode, error) = await StartAsync("--data", _folder["data"], "--port", $"{port}");
        Assert.Equal(1, exitCode);
        Assert.Contains($"Port {port} is in use: stop what listens there, or choose another", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_whose_scripts_are_not_atomic_is_refused_with_a_sentence()
    {
        await using var store = GarnetStore.Start(isAtomic: false);
        var (exitCode, error) = await StartAsync("--data", _folder["data"], "--port", "0", "--redis", store.Configuration);
        Assert.Equal(1, exitCode);
        Assert.Contains("--lua-transaction-mode true", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Embedded_store_works_without_libaio()
    {
        Assert.SkipWhen(
            new[] { "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib" }.Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFiles(folder, "libaio.so*")).Any(),
            "libaio is installed here.");
        await using var server = await StandaloneProcess.StartAsync(_folder["data"]);
        await server.Client.FineTunes.ListFineTuneJobsAsync(new V1.ListFineTuneJobsRequest(), cancellationToken: Ct);
    }

    private static async Task<(int ExitCode, string Error)> StartAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "InstructTune.Standalone"), arguments)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        _ = process.StandardOutput.ReadToEndAsync(Ct);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static int Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
