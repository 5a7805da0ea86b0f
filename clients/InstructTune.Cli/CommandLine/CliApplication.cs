using System.CommandLine;
using InstructTune.Cli.Commands;

namespace InstructTune.Cli.CommandLine;

/// <summary>Parses a command line, runs its command and turns every failure into one line and an exit code.</summary>
internal sealed class CliApplication(CliContext context)
{
    public async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var root = CreateRoot();
        var parsed = root.Parse(args.Count == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0)
        {
            return Report(parsed.Errors[0].Message + HelpHint(parsed.CommandResult.Command), ExitCode.Usage);
        }

        try
        {
            // Signals are ours: the library would end the process two seconds after the first one.
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = context.Terminal.Out,
                Error = context.Terminal.Error,
            };
            using var trace = CommandTrace.Start(parsed.CommandResult.Command.Name);
            return await parsed.InvokeAsync(configuration, context.Interrupts.First);
        }
        catch (OperationCanceledException) when (context.Interrupts.First.IsCancellationRequested)
        {
            return Report("Interrupted.", ExitCode.Interrupted);
        }
        catch (Exception failure)
        {
            // The border of the process: whatever it is, the user gets one line.
            var (message, exitCode) = ErrorText.Of(failure);
            return Report(message, exitCode);
        }
    }

    /// <summary>Every command there is.</summary>
    internal RootCommand CreateRoot()
    {
        var root = new RootCommand("Fine-tunes LLaMA-family models in two stages, generalist and specialist, and serves them.");
        root.With(
            UpCommand.Create(context),
            DemoCommand.Create(context),
            DatasetCommands.Create(context),
            FineTuneCommands.Create(context),
            JobsCommands.Create(context),
            ModelCommands.Create(context),
            GenerateCommand.Create(context),
            ChatCommand.Create(context),
            ServeStatsCommand.Create(context),
            EvaluationCommands.Create(context),
            GlobalOptions.Server,
            GlobalOptions.ApiKey,
            GlobalOptions.Json);
        return root;
    }

    private int Report(string message, int exitCode)
    {
        context.Terminal.Error.WriteLine("instructtune: " + message);
        return exitCode;
    }

    private static string HelpHint(Command command)
    {
        var path = string.Join(' ', command.Parents.OfType<Command>().Where(parent => parent is not RootCommand).Select(parent => parent.Name)
            .Append(command is RootCommand ? "" : command.Name)).Trim();
        return $" See 'instructtune{(path.Length > 0 ? " " + path : "")} --help'.";
    }
}
