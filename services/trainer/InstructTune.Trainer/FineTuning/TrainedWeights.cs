using System.Text.RegularExpressions;
using InstructTune.Modeling.Llama;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Which weights of a model the method freeze trains. Pure.</summary>
internal static partial class TrainedWeights
{
    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(1);

    /// <summary>Whether an entry is a regular expression that can be matched in linear time.</summary>
    public static bool IsPattern(string module)
    {
        try
        {
            _ = PatternOf(module);
            return module.Length > 0;
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>The first entry that matches no weight; null where each matches one.</summary>
    public static string? Unmatched(FreezeSpec freeze, IReadOnlyCollection<string> weights) =>
        freeze.Modules.FirstOrDefault(module => PatternOf(module) is var pattern && !weights.Any(weight => pattern.IsMatch(ModuleOf(weight))));

    /// <summary>Whether the weight of a name is trained.</summary>
    public static Func<string, bool> Of(FreezeSpec? freeze, LlamaConfig config)
    {
        if (freeze is null)
        {
            return _ => true;
        }

        var first = config.LayerCount - freeze.LastLayers;
        var patterns = freeze.Modules.Select(PatternOf).ToArray();
        return weight => LayerOf(weight) >= first || patterns.Any(pattern => pattern.IsMatch(ModuleOf(weight)));
    }

    // As PEFT matches targets: the whole path, or its end from a dot on.
    private static Regex PatternOf(string module) =>
        new($@"^(?:.*\.)?(?:{module})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, MatchLimit);

    private static string ModuleOf(string weight) => weight[..weight.LastIndexOf('.')];

    private static int LayerOf(string weight) => Layer().Match(weight) is { Success: true } match
        ? int.Parse(match.Groups["layer"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)
        : -1;

    [GeneratedRegex(@"^model\.layers\.(?<layer>[0-9]+)\.", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Layer();
}
