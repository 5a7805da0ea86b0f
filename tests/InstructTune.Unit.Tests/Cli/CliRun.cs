using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Unit.Tests.Client;

namespace InstructTune.Unit.Tests.Cli;

/// <summary>One command line, run in this process, with what it wrote.</summary>
internal sealed record CliRun(int ExitCode, string Out, string Error)
{
    public static Task<CliRun> Async(FakeApi api, params string[] arguments) => Async(api, new Interrupts(), "", arguments);

    public static async Task<CliRun> Async(FakeApi? api, Interrupts interrupts, string input, params string[] arguments)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var terminal = new Terminal(output, TextWriter.Synchronized(error), new StringReader(input));
        string[] all = api is null ? arguments : [.. arguments, "--server", api.Address, "--api-key", "secret"];
        var exitCode = await new CliApplication(new CliContext(terminal, interrupts, TimeProvider.System)).RunAsync(all);
        return new CliRun(exitCode, output.ToString(), error.ToString());
    }
}
