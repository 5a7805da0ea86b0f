using System.CommandLine;
using InstructTune.V1;

namespace InstructTune.Cli.CommandLine;

/// <summary>The number format of weights, as commands read and show it.</summary>
internal static class WeightFormatOption
{
    private static readonly Dictionary<string, WeightFormat> s_formats = new(StringComparer.Ordinal)
    {
        ["float32"] = WeightFormat.Float32,
        ["bfloat16"] = WeightFormat.Bfloat16,
        ["int8"] = WeightFormat.Int8,
        ["int4"] = WeightFormat.Int4,
        ["gguf"] = WeightFormat.Gguf,
    };

    public static Option<string?> Create(string description) =>
        new("--weight-format") { Description = $"{description} One of {string.Join(", ", s_formats.Keys)}.", HelpName = "FORMAT" };

    public static WeightFormat Read(string? text) =>
        text is null ? WeightFormat.Unspecified
        : s_formats.TryGetValue(text, out var format) ? format
        : throw CliException.Usage($"'{text}' is not a format of weights; the formats are {string.Join(", ", s_formats.Keys)}.");

    public static string NameOf(WeightFormat format) => s_formats.FirstOrDefault(pair => pair.Value == format).Key ?? "-";
}
