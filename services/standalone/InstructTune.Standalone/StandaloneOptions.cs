using System.Globalization;

namespace InstructTune.Standalone;

/// <summary>What the command line asks for.</summary>
/// <param name="DataFolder">Everything that survives a restart.</param>
/// <param name="Port">The gateway's port on 127.0.0.1; 0 takes a free one.</param>
/// <param name="Redis">A StackExchange.Redis connection string such as <c>localhost:6379</c>; null starts the embedded store.</param>
/// <param name="ExitOnStdinClose">Stop when the parent process is gone, however it went.</param>
internal sealed record StandaloneOptions(string DataFolder, int Port, string? Redis, bool ExitOnStdinClose)
{
    public const int DefaultPort = 8470;

    public const string Usage =
        "Usage: InstructTune.Standalone --data DIR [--port N] [--redis HOST:PORT] [--exit-on-stdin-close] [--Section:Key VALUE]...";

    /// <summary>Settings of the rooms, passed on as configuration, such as <c>--Torch:Threads 1</c>.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <exception cref="StartRefusedException">An argument is unknown, lacks its value or has a wrong one.</exception>
    public static StandaloneOptions Parse(string[] arguments)
    {
        string? dataFolder = null;
        string? redis = null;
        var port = DefaultPort;
        var exitOnStdinClose = false;
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--data":
                    dataFolder = ValueAfter(arguments, ref i);
                    break;
                case "--port":
                    port = ParsePort(ValueAfter(arguments, ref i));
                    break;
                case "--redis":
                    redis = ValueAfter(arguments, ref i);
                    break;
                case "--exit-on-stdin-close":
                    exitOnStdinClose = true;
                    break;
                case var name when name.StartsWith("--", StringComparison.Ordinal) && name.Contains(':', StringComparison.Ordinal):
                    settings[name[2..]] = ValueAfter(arguments, ref i);
                    break;
                default:
                    throw new StartRefusedException($"Unknown argument '{arguments[i]}'. {Usage}");
            }
        }

        return dataFolder is null
            ? throw new StartRefusedException($"--data is missing. {Usage}")
            : new StandaloneOptions(Path.GetFullPath(dataFolder), port, redis, exitOnStdinClose) { Settings = settings };
    }

    private static string ValueAfter(string[] arguments, ref int index)
    {
        var name = arguments[index];
        return ++index < arguments.Length ? arguments[index] : throw new StartRefusedException($"{name} lacks its value. {Usage}");
    }

    private static int ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535
            ? port
            : throw new StartRefusedException($"--port must be a number from 0 to 65535; got '{text}'.");
}

/// <summary>The process cannot start; the message is one sentence that says what to do.</summary>
internal sealed class StartRefusedException(string message, Exception? innerException = null) : Exception(message, innerException);
