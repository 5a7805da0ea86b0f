using System.Globalization;
using System.Text.RegularExpressions;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Adapters;

/// <summary>PEFT's rules for which module a name or pattern means.</summary>
internal static partial class ModuleMatch
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether the adapter applies to the module.</summary>
    public static bool Targets(LoraConfig config, string path)
    {
        if (config.ExcludedModules.Any(name => IsNamed(path, name)))
        {
            return false;
        }

        if (config.TargetPattern is { } pattern)
        {
            return Matches($"^(?:{pattern})$", path, "target_modules");
        }

        // A full path is meant as it stands, whatever layers are asked for.
        return config.TargetModules.Contains(path, StringComparer.Ordinal)
            || (config.TargetModules.Any(name => IsNamed(path, name)) && IsInLayers(config, path));
    }

    /// <summary>Whether a list entry means the module: its path or the end of it.</summary>
    public static bool IsNamed(string path, string name) =>
        path == name || path.EndsWith("." + name, StringComparison.Ordinal);

    /// <summary>The value of the first key that the path ends in.</summary>
    public static T? First<T>(IReadOnlyList<KeyValuePair<string, T>> patterns, string path)
        where T : struct
    {
        foreach (var (key, value) in patterns)
        {
            if (Matches($"^(?:(.*\\.)?({key})$)", path, key))
            {
                return value;
            }
        }

        return null;
    }

    private static bool IsInLayers(LoraConfig config, string path) =>
        config.Layers.Count == 0
        || (LayerNumber().Match(path) is { Success: true } match && config.Layers.Contains(int.Parse(match.Groups["layer"].ValueSpan, CultureInfo.InvariantCulture)));

    private static bool Matches(string pattern, string path, string key)
    {
        try
        {
            return Regex.IsMatch(path, pattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, s_patience);
        }
        catch (ArgumentException e)
        {
            throw new ModelFormatException("adapter_config.json", key, "is not a regular expression that can be read", e);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new ModelFormatException("adapter_config.json", key, "takes too long to match; write a simpler expression", e);
        }
    }

    [GeneratedRegex(@"\.layers\.(?<layer>\d+)\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex LayerNumber();
}
