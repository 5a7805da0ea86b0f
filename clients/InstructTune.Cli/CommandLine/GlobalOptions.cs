using System.CommandLine;

namespace InstructTune.Cli.CommandLine;

/// <summary>Options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string?> Server = new("--server")
    {
        Description = "Address of the server, such as http://127.0.0.1:8080 (or INSTRUCTTUNE_SERVER). Default: the one 'instructtune up' started.",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<string?> ApiKey = new("--api-key")
    {
        Description = "Key of the server (or INSTRUCTTUNE_API_KEY).",
        HelpName = "KEY",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Write JSON to standard output; progress goes to standard error.",
        Recursive = true,
    };
}
