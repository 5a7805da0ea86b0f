using System.Text;

namespace InstructTune.Cli.CommandLine;

/// <summary>
/// Short names for resources: <c>NAME</c> and <c>NAME@VERSION</c> stand for <c>datasets/NAME</c> and
/// <c>datasets/NAME/versions/VERSION</c>. Full names pass unchanged.
/// </summary>
internal static class Names
{
    private const int MaxIdLength = 63;

    public static string Dataset(string text) => Expand("datasets", text, "");

    public static string DatasetVersion(string text) => Expand("datasets", text, "latest");

    public static string ModelVersion(string text) => Expand("models", text, "latest");

    public static string Model(string text) => Expand("models", text, "");

    public static string Job(string text) => Expand("fineTuneJobs", text, "");

    public static string Run(string text) => Expand("evaluationRuns", text, "");

    public static string Suite(string text) => Expand("evaluationSuites", text, "");

    /// <summary>Whether a text is the name of a checkpoint, which has no short form.</summary>
    public static bool IsCheckpoint(string text) => text.Split('/') is ["fineTuneJobs", _, "checkpoints", _];

    /// <summary>The short form, for tables and messages.</summary>
    public static string Short(string name)
    {
        var parts = name.Split('/');
        return parts.Length switch
        {
            2 => parts[1],
            4 when parts[2] == "versions" => $"{parts[1]}@{parts[3]}",
            _ => name,
        };
    }

    /// <summary>Whether an argument means something on this disk rather than a name on the server.</summary>
    public static bool IsPath(string text) =>
        !text.StartsWith("datasets/", StringComparison.Ordinal)
        && !text.StartsWith("models/", StringComparison.Ordinal)
        && (text.Contains('/') || text.Contains('.') || text.StartsWith('~'));

    /// <summary>An id the API accepts, made from a file or folder name.</summary>
    public static string IdFrom(string path)
    {
        var stem = Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(path));
        var id = new StringBuilder();
        foreach (var c in stem.ToLowerInvariant())
        {
            var isPlain = char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
            if (isPlain || (id.Length > 0 && id[^1] != '-'))
            {
                id.Append(isPlain ? c : '-');
            }
        }

        var text = id.ToString().Trim('-');
        text = text.Length > 0 && char.IsAsciiDigit(text[0]) ? "d-" + text : text;
        text = text.Length > MaxIdLength ? text[..MaxIdLength].TrimEnd('-') : text;
        return text.Length >= 3 ? text : (text + "-data").TrimStart('-');
    }

    private static string Expand(string collection, string text, string defaultVersion)
    {
        var name = text.Contains('/')
            ? text
            : text.Split('@', 2) is [var id, var version] ? $"{collection}/{id}/versions/{version}" : $"{collection}/{text}";
        if (text.Length == 0 || !name.StartsWith(collection + "/", StringComparison.Ordinal))
        {
            throw CliException.Usage($"'{text}' is not a name: write NAME, NAME@VERSION or {collection}/NAME.");
        }

        return defaultVersion.Length > 0 && name.Count(c => c == '/') == 1 ? $"{name}/versions/{defaultVersion}" : name;
    }
}
