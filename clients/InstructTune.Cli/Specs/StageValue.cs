using System.Globalization;
using System.Numerics;
using InstructTune.Cli.CommandLine;

namespace InstructTune.Cli.Specs;

/// <summary>A value for all stages (<c>3</c>) or one for each (<c>generalist=1,specialist=3</c>).</summary>
internal static class StageValue
{
    public static T? For<T>(string? text, string stageId, IReadOnlyCollection<string> stageIds, string option)
        where T : struct, INumber<T>
    {
        if (text is null)
        {
            return null;
        }

        if (!text.Contains('='))
        {
            return ParseNumber<T>(text, option);
        }

        T? found = null;
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = part.Split('=', 2);
            if (pair.Length != 2 || !stageIds.Contains(pair[0]))
            {
                throw CliException.Usage($"{option} {part}: write a number, or STAGE=NUMBER for {string.Join(" and ", stageIds)}.");
            }

            var value = ParseNumber<T>(pair[1], option);
            found = pair[0] == stageId ? value : found;
        }

        return found;
    }

    private static T ParseNumber<T>(string text, string option)
        where T : struct, INumber<T> =>
        T.TryParse(text, NumberStyles.Float & ~NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var value) && value >= T.Zero
            ? value
            : throw CliException.Usage($"{option}: '{text}' is not {(typeof(T) == typeof(double) ? "a number" : "a whole number")} of at least 0.");
}
