using InstructTune.Cli.CommandLine;

namespace InstructTune.Cli.Server;

/// <summary>Where the standalone server is: INSTRUCTTUNE_STANDALONE, else beside this program.</summary>
internal static class StandaloneBinary
{
    public const string Variable = "INSTRUCTTUNE_STANDALONE";
    private const string Name = "InstructTune.Standalone";

    // In a session of its own the server does not get the terminal's Ctrl+C: this process decides in which order things stop.
    private const string SetSid = "/usr/bin/setsid";

    public static (string Command, IReadOnlyList<string> Arguments) Find()
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        var path = string.IsNullOrEmpty(named) ? Path.Combine(AppContext.BaseDirectory, Name) : named;
        if (!File.Exists(path))
        {
            throw new CliException(
                $"The standalone server is not at {path}: run './instructtune' from the repository, or set {Variable} to its path.");
        }

        IReadOnlyList<string> command = path.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", path] : [path];
        return File.Exists(SetSid) ? (SetSid, command) : (command[0], [.. command.Skip(1)]);
    }
}
