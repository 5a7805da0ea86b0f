using InstructTune.Cli.CommandLine;
using InstructTune.V1;
using Format = InstructTune.V1.ModelExport.Types.Format;
using Type = InstructTune.V1.ModelExport.Types.ElementType;

namespace InstructTune.Cli.Commands;

/// <summary>Formats of other programs by the names that the command line has for them.</summary>
internal static class ExportFormats
{
    private static readonly Dictionary<string, (Format Format, Type Type)> Known = new(StringComparer.Ordinal)
    {
        ["gguf-f32"] = (Format.Gguf, Type.Float32),
        ["gguf-f16"] = (Format.Gguf, Type.Float16),
        ["gguf-q8_0"] = (Format.Gguf, Type.Q80),
        ["gguf-adapter-f32"] = (Format.GgufAdapter, Type.Float32),
        ["gguf-adapter-f16"] = (Format.GgufAdapter, Type.Float16),
        ["safetensors"] = (Format.Safetensors, Type.Unspecified),
        ["peft"] = (Format.Peft, Type.Unspecified),
    };

    public static string Names { get; } = string.Join(", ", Known.Keys);

    public static ModelExport Parse(string name) => Known.TryGetValue(name, out var chosen)
        ? new ModelExport { Format = chosen.Format, ElementType = chosen.Type }
        : throw CliException.Usage($"There is no format '{name}': choose one of {Names}.");

    public static string NameOf(ModelExport export) => Known.First(known => known.Value == (export.Format, export.ElementType)).Key;

    /// <summary>What reading it back found.</summary>
    public static string Say(ModelExport export) => export.Parity is not { } parity ? "not read back"
        : parity.MaxLogitDifference == 0 ? $"read back, all logits of {parity.TokenCount} tokens are equal{Merged(export)}"
        : FormattableString.Invariant($"read back, logits differ by {parity.MaxLogitDifference:0.0e+0} at most (relative error {parity.RelativeError:0.0e+0}), the likeliest token is the same in {100 * parity.TokenAgreement:0.#} %{Merged(export)}");

    private static string Merged(ModelExport export) => export.MergeParity is { } merge
        ? FormattableString.Invariant($"; the merge itself moved them by {merge.MaxLogitDifference:0.0e+0}")
        : "";
}
