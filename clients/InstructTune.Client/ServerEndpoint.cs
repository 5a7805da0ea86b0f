using System.Text.Json;

namespace InstructTune.Client;

/// <summary>Where a server is and the key to it, as the standalone process writes them to <c>endpoint.json</c>.</summary>
/// <param name="Address">Such as <c>http://127.0.0.1:8080</c>.</param>
/// <param name="ApiKey">Empty where the server wants none.</param>
/// <param name="ProcessId">Of the standalone process; 0 where unknown.</param>
public sealed record ServerEndpoint(Uri Address, string ApiKey, int ProcessId)
{
    /// <summary>The file in the data folder that says where the standalone process listens.</summary>
    public const string FileName = "endpoint.json";

    /// <summary>The data folder of the standalone process: INSTRUCTTUNE_HOME, else <c>~/.local/share/instructtune</c>.</summary>
    public static string DefaultDataFolder
    {
        get
        {
            var home = Environment.GetEnvironmentVariable("INSTRUCTTUNE_HOME");
            return string.IsNullOrEmpty(home)
                ? Path.Combine(
                    Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify),
                    ".local", "share", "instructtune")
                : Path.GetFullPath(home);
        }
    }

    /// <summary>
    /// Finds the server: the arguments, else INSTRUCTTUNE_SERVER and INSTRUCTTUNE_API_KEY, else <c>endpoint.json</c> of the
    /// default data folder. The key of that file is used only with the address of that file.
    /// </summary>
    /// <exception cref="InstructTuneException">No address is known, or it is not an http address.</exception>
    public static ServerEndpoint Resolve(string? server = null, string? apiKey = null)
    {
        var address = FirstSet(server, Environment.GetEnvironmentVariable("INSTRUCTTUNE_SERVER"));
        var key = FirstSet(apiKey, Environment.GetEnvironmentVariable("INSTRUCTTUNE_API_KEY"));
        var file = TryRead(Path.Combine(DefaultDataFolder, FileName));
        if (address is null)
        {
            return file is null
                ? throw InstructTuneException.Local(
                    LocalReasons.ServerUnknown,
                    "No server is known: start one with 'instructtune up', or name one with --server (or INSTRUCTTUNE_SERVER).")
                : file with { ApiKey = key ?? file.ApiKey };
        }

        var uri = ParseAddress(address);
        if (key is null && file is not null && file.Address == uri)
        {
            return file;
        }

        return new ServerEndpoint(uri, key ?? "", 0);
    }

    /// <summary>Reads an <c>endpoint.json</c>; null where there is none or it is not whole yet.</summary>
    public static ServerEndpoint? TryRead(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = document.RootElement;
            return new ServerEndpoint(
                new Uri(root.GetProperty("address").GetString() ?? ""),
                root.TryGetProperty("apiKey", out var key) ? key.GetString() ?? "" : "",
                root.TryGetProperty("pid", out var pid) ? pid.GetInt32() : 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException
            or UriFormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private static Uri ParseAddress(string address)
    {
        var text = address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address;
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0
            ? uri
            : throw InstructTuneException.Local(
                LocalReasons.ServerUnknown, $"'{address}' is not a server address: write http://HOST:PORT.");
    }

    private static string? FirstSet(string? first, string? second) =>
        !string.IsNullOrEmpty(first) ? first : string.IsNullOrEmpty(second) ? null : second;
}
