using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>A Hugging Face folder into a GGUF file for llama.cpp. Weights pass through a buffer of a few megabytes.</summary>
public static class GgufExport
{
    /// <summary>The types that models are written in.</summary>
    public static IReadOnlyList<GgufTensorType> Types { get; } = [GgufTensorType.F32, GgufTensorType.F16, GgufTensorType.Q8_0, GgufTensorType.Q4_0];

    /// <summary>Writes the file.</summary>
    /// <param name="path">Where; the file must not exist yet.</param>
    /// <param name="folder">The model.</param>
    /// <param name="type">Of the matrices: F32, F16, Q8_0 or Q4_0. Norms and biases are float32.</param>
    /// <param name="name">general.name.</param>
    /// <exception cref="ModelFormatException">The folder is broken or holds what GGUF cannot express.</exception>
    public static void Write(string path, string folder, GgufTensorType type, string name)
    {
        var config = ModelFolder.ReadConfig(folder);
        using var files = WeightFiles.Open(folder, static _ => { });
        ModelFolder.RefuseOtherWeights(files, config);
        using var writer = new GgufWriter();
        GgufModelMetadata.Write(writer, config, type, name);
        GgufVocabulary.Write(writer, folder, config);
        writer.Write(path, [.. Factors(config), .. Ordered(config).Select(weight => Source(files, config, weight, type))]);
    }

    /// <summary>
    /// The weights alone, for ourselves: no vocabulary, and in float32 what has no blocks of the type, so that nothing is rounded twice.
    /// </summary>
    internal static void WriteWeights(string path, string folder, GgufTensorType type)
    {
        var config = ModelFolder.ReadConfig(folder);
        using var files = WeightFiles.Open(folder, static _ => { });
        ModelFolder.RefuseOtherWeights(files, config);
        using var writer = new GgufWriter();
        writer.Add("general.architecture", GgufNames.Architecture(config.Family));
        writer.Write(path, [.. Ordered(config).Select(weight => Source(files, config, weight, HasBlocks(weight, type) ? type : GgufTensorType.F32))]);
    }

    /// <summary>Weights in the order in which converters write them: embedding, layers, final norm, head.</summary>
    internal static IEnumerable<PlannedWeight> Ordered(LlamaConfig config)
    {
        string[] order =
        [
            ".attn_q.", ".attn_k.", ".attn_v.", ".attn_output.", ".ffn_gate.", ".ffn_up.", ".ffn_down.", ".attn_norm.", ".ffn_norm.", ".attn_q_norm.", ".attn_k_norm.",
        ];
        return WeightPlan.Of(config)
            .Select(weight => (Weight: weight, Name: GgufNames.OfHuggingFace(weight.Name)))
            .OrderBy(w => w.Name switch { GgufNames.Embedding => -1, "output_norm.weight" => int.MaxValue - 1, GgufNames.Head => int.MaxValue, _ => Layer(w.Name) })
            .ThenBy(w => Array.FindIndex(order, part => w.Name.Contains(part, StringComparison.Ordinal)))
            .ThenByDescending(w => w.Name, StringComparer.Ordinal)
            .Select(w => w.Weight);
    }

    private static bool HasBlocks(PlannedWeight weight, GgufTensorType type) => weight.Shape[^1] % GgufTensorTypes.BlockElements(type) == 0;

    private static int Layer(string name) => int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);

    private static GgufSource Source(WeightFiles files, LlamaConfig config, PlannedWeight weight, GgufTensorType type)
    {
        var file = files.Find(weight.Name)!;
        var entry = file.Find(weight.Name)!;
        var rows = new GgufRows(weight.Name, weight.Shape, (first, target) => file.ReadElements(entry, first, target));
        var source = rows.ToSource(GgufNames.OfHuggingFace(weight.Name), type, GgufNames.InterleavedHeads(config, weight.Name));
        return source with
        {
            WriteTo = stream =>
            {
                source.WriteTo(stream);
                file.Forget(entry);
            },
        };
    }

    private static IEnumerable<GgufSource> Factors(LlamaConfig config)
    {
        if (config.Rotary.Kind != RotaryKind.Llama3)
        {
            return [];
        }

        var factors = RotaryFactors.Of(config.Rotary, config.HeadWidth);
        var rows = new GgufRows(GgufNames.RotaryFactors, [factors.Length], (first, target) => factors.AsSpan((int)first, target.Length).CopyTo(target));
        return [rows.ToSource(GgufNames.RotaryFactors, GgufTensorType.F32, 0)];
    }
}
