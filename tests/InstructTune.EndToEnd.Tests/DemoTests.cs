using System.Globalization;
using System.Text.Json;
using InstructTune.Testing;

namespace InstructTune.EndToEnd.Tests;

/// <summary>The demonstration, small: it ends by itself and leaves nothing running, however it ends.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task It_measures_reports_and_leaves_nothing_behind()
    {
        var result = await CommandLineProgram.RunAsync(CommandLineProgram.InstructTune, Arguments("--json"), Environment);
        Assert.True(result.ExitCode == 0, result.All);
        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["out/result.json"], TestContext.Current.CancellationToken));
        Assert.Equal(
            ["untrained base", "specialist only", "generalist, then specialist"],
            figures.RootElement.GetProperty("arms").EnumerateArray().Select(arm => arm.GetProperty("title").GetString()));
        Assert.NotEmpty(figures.RootElement.GetProperty("comparisons").EnumerateArray());
        var report = await File.ReadAllTextAsync(_folder["out/report.html"], TestContext.Current.CancellationToken);
        Assert.Contains("<svg", report, StringComparison.Ordinal);
        Assert.Empty(Servers());
        Assert.Empty(Directory.EnumerateDirectories(_folder["tmp"]));
    }

    [Fact]
    public async Task An_interrupt_stops_it_and_says_how_to_resume()
    {
        await using var demo = CommandLineProgram.Start(CommandLineProgram.InstructTune, Arguments(), Environment);
        await demo.LineAsync("loss");
        demo.Signal("INT");
        var stopped = await demo.EndAsync();
        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("instructtune finetune resume", stopped.Error, StringComparison.Ordinal);
        Assert.Empty(Servers());
    }

    [Fact]
    public async Task Even_when_it_is_killed_its_server_ends()
    {
        await using var demo = CommandLineProgram.Start(CommandLineProgram.InstructTune, Arguments(), Environment);
        await demo.LineAsync("loss");
        Assert.NotEmpty(Servers());
        demo.Signal("KILL");
        await Eventually.HoldsAsync(() => !Servers().Any(), "the server of a killed demonstration ends", TimeSpan.FromMinutes(2));
    }

    public void Dispose() => _folder.Dispose();

    // Its temporary files go into a folder of this test, by which its server can be recognised.
    private string[] Environment
    {
        get
        {
            Directory.CreateDirectory(_folder["tmp"]);
            return ["TMPDIR=" + _folder["tmp"]];
        }
    }

    private List<string> Arguments(params string[] more) => ["demo", "--quick", "--out", _folder["out"], .. more];

    private IEnumerable<string> Servers()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _)
                && CommandLineOf(folder).Contains(_folder["tmp"], StringComparison.Ordinal))
            {
                yield return CommandLineOf(folder);
            }
        }
    }

    private static string CommandLineOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
        }
        catch (IOException)
        {
            // It ended meanwhile.
            return "";
        }
    }
}
