using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.V1;
using Component = InstructTune.V1.DatasetMix.Types.Component;
using Strategy = InstructTune.V1.DatasetMix.Types.Strategy;

namespace InstructTune.Cli.Specs;

/// <summary>Several datasets for one stage, on the command line: <c>NAME,NAME</c>, or with shares <c>NAME=3,NAME=1</c>.</summary>
internal static class MixFlag
{
    /// <summary>Null where the text names one dataset. Datasets are still as typed: they may be paths.</summary>
    public static DatasetMix? Parse(string text, string option)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 2)
        {
            return null;
        }

        var mix = new DatasetMix { Components = { parts.Select(part => ComponentOf(part, option)) } };
        var weighted = mix.Components.Count(component => component.HasWeight);
        mix.Strategy = weighted == 0 ? Strategy.Concatenate
            : weighted == parts.Length ? Strategy.InterleaveUntilFirst
            : throw CliException.Usage($"{option}: give all datasets of a mix a share, as in NAME=3,NAME=1, or none.");
        return mix;
    }

    private static Component ComponentOf(string part, string option)
    {
        var split = part.LastIndexOf('=');
        if (split < 0)
        {
            return new Component { Version = part };
        }

        return double.TryParse(part[(split + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) && weight > 0 && double.IsFinite(weight)
            ? new Component { Version = part[..split], Weight = weight }
            : throw CliException.Usage($"{option}: '{part}' must be a dataset and its share, such as lima=3.");
    }
}
