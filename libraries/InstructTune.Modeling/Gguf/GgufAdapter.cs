using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>
/// A LoRA adapter as a GGUF file that llama.cpp loads beside its base: for each weight NAME the tensors NAME.lora_a and NAME.lora_b.
/// llama.cpp scales every product by adapter.lora.alpha / rank, so what differs from that is multiplied into B.
/// </summary>
public static class GgufAdapter
{
    /// <summary>Writes the file.</summary>
    /// <param name="path">Where; the file must not exist yet.</param>
    /// <param name="adapter">The adapter: A and B on linear layers and nothing else.</param>
    /// <param name="model">Configuration of its base.</param>
    /// <param name="type">F32 or F16.</param>
    /// <param name="name">general.name.</param>
    /// <exception cref="ModelFormatException">The adapter has parts that the format does not know.</exception>
    public static void Write(string path, LoraAdapter adapter, LlamaConfig model, GgufTensorType type, string name)
    {
        if (adapter.Config.SharingObstacle is { } obstacle)
        {
            throw new ModelFormatException("adapter_config.json", obstacle, "cannot be expressed in a GGUF adapter; export the adapter merged into its base");
        }

        using var writer = new GgufWriter();
        writer.Add("general.architecture", GgufNames.Architecture(model.Family));
        writer.Add("general.type", "adapter");
        writer.Add("adapter.type", "lora");
        writer.Add("general.name", name);
        writer.Add("general.file_type", GgufModelMetadata.FileType(type));
        writer.Add("adapter.lora.alpha", (float)adapter.Config.Alpha);
        var weights = GgufExport.Ordered(model).Where(w => adapter.Modules.ContainsKey(Module(w.Name)));
        writer.Write(path, [.. weights.SelectMany(w => Sources(adapter, model, w.Name, type))]);
    }

    private static string Module(string weight) => weight[..^".weight".Length];

    private static IEnumerable<GgufSource> Sources(LoraAdapter adapter, LlamaConfig model, string weight, GgufTensorType type)
    {
        if (!weight.EndsWith(".weight", StringComparison.Ordinal))
        {
            return [];
        }

        var module = adapter.Modules[Module(weight)];
        var name = GgufNames.OfHuggingFace(weight);
        var rank = adapter.Config.RankOf(module.Path);
        var factor = (float)(module.Scale * rank / adapter.Config.Alpha);
        var (a, b) = (module.A_RI, module.B_OR);
        return
        [
            new GgufRows(weight, a.shape, (first, target) => Copy(a, first, target, 1)).ToSource(name + ".lora_a", type, 0),
            new GgufRows(weight, b.shape, (first, target) => Copy(b, first, target, factor)).ToSource(name + ".lora_b", type, GgufNames.InterleavedHeads(model, weight)),
        ];
    }

    private static void Copy(TorchSharp.torch.Tensor source, long first, Span<float> target, float factor)
    {
        using var flat = source.detach().cpu().reshape(-1);
        using var piece = flat.narrow(0, first, target.Length);
        piece.data<float>().CopyTo(target);
        for (var i = 0; factor != 1 && i < target.Length; i++)
        {
            target[i] *= factor;
        }
    }
}
