using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Server;
using InstructTune.Client;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune up</c>: the whole of InstructTune in one process, in the foreground.</summary>
internal static class UpCommand
{
    private static readonly Option<string?> DataFolder = new("--data-folder")
    {
        Description = "Where everything is kept; default: INSTRUCTTUNE_HOME, else ~/.local/share/instructtune.",
        HelpName = "DIR",
    };

    private static readonly Option<int> Port = new("--port")
    {
        Description = "Port on 127.0.0.1; 0 takes a free one.",
        DefaultValueFactory = _ => 8470,
        HelpName = "N",
    };

    private static readonly Option<string?> Redis = new("--redis")
    {
        Description = "Use this Redis for jobs; default: a store of its own.",
        HelpName = "HOST:PORT",
    };

    public static Command Create(CliContext context) => new Command("up", "Starts the server in the foreground; Ctrl+C stops it.")
        .With(DataFolder, Port, Redis)
        .WithAction(context, RunAsync);

    private static async Task<int> RunAsync(CommandCall call)
    {
        var folder = call.Value(DataFolder) is { } given ? Path.GetFullPath(given) : ServerEndpoint.DefaultDataFolder;
        var arguments = new StandaloneArguments(folder, call.Value(Port), call.Value(Redis));
        HostChecks.Check(arguments);
        Directory.CreateDirectory(folder);
        await using var server = StandaloneProcess.Start(arguments, call.Context.Time, call.Terminal.Note);
        try
        {
            var endpoint = await server.WaitUntilReadyAsync(folder, call.Ct);
            call.Terminal.Note($"Data folder {folder}. Commands on this machine find the server{Hint(folder)}. Ctrl+C stops it.");
            call.Terminal.Out.WriteLine(endpoint.Address.GetLeftPart(UriPartial.Authority));
            await server.WaitAsync(call.Ct);
        }
        catch (OperationCanceledException) when (call.Ct.IsCancellationRequested)
        {
            call.Terminal.Note("Stopping; jobs go on from their checkpoints at the next start.");
            await server.StopAsync(call.Context.Interrupts.Second);
            return ExitCode.Ok;
        }

        return server.ExitCode == 0 ? ExitCode.Ok : throw new CliException($"The server ended with exit code {server.ExitCode}.");
    }

    private static string Hint(string folder) =>
        folder == ServerEndpoint.DefaultDataFolder ? " by themselves" : $" when INSTRUCTTUNE_HOME={folder} is set";
}
