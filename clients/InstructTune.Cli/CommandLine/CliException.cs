namespace InstructTune.Cli.CommandLine;

/// <summary>Ends the command with one line for the user.</summary>
internal sealed class CliException(string message, int exitCode = ExitCode.Failed, Exception? cause = null) : Exception(message, cause)
{
    public int ExitCode { get; } = exitCode;

    public static CliException Usage(string message) => new(message, CommandLine.ExitCode.Usage);
}
