using System.Globalization;
using System.Text.RegularExpressions;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Gguf;

/// <summary>A GGUF adapter as llama.cpp takes it: for each pair of tensors the product of both, times adapter.lora.alpha over the pair's rank.</summary>
public static class GgufAdapterReader
{
    private const string Alpha = "adapter.lora.alpha";

    /// <summary>Reads the file and checks it against its base. The caller disposes the adapter.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">Configuration of the base.</param>
    /// <exception cref="ModelFormatException">It is no LoRA adapter of this model.</exception>
    public static LoraAdapter Read(string path, LlamaConfig model)
    {
        using var reader = GgufReader.Open(path);
        var metadata = reader.Metadata;
        Require(metadata, "general.type", "adapter");
        Require(metadata, "adapter.type", "lora");
        Require(metadata, "general.architecture", GgufNames.Architecture(model.Family));
        var alpha = metadata.Real(Alpha) ?? throw metadata.Fault(Alpha, "is missing");
        var ranks = LinearModule.Of(model).Select(module => (module.Path, Rank: reader.Find(NameOf(module.Path, AdapterPart.A))?.Shape[0]))
            .Where(module => module.Rank is not null).ToDictionary(module => module.Path, module => (int)module.Rank!.Value, StringComparer.Ordinal);
        if (ranks.Count == 0 || reader.Tensors.Count != 2 * ranks.Count)
        {
            throw metadata.Fault("tensors", $"are {reader.Tensors.Count}, of which {ranks.Count} belong to A of a linear layer of the model; each needs its B and nothing else may be there");
        }

        var config = new LoraConfig
        {
            Rank = ranks.Values.First(),
            Alpha = alpha,
            TargetModules = [.. ranks.Keys],
            RankPattern = [.. ranks.Select(rank => KeyValuePair.Create(Regex.Escape(rank.Key), rank.Value))],
        };
        using var frozen = no_grad();
        return new LoraAdapter(config, [.. AdapterPlan.Of(model, config).Select(plan => (plan, ReadTensor(reader, model, plan)))]);
    }

    private static string NameOf(string module, AdapterPart part) =>
        GgufNames.OfHuggingFace(module + ".weight") + (part == AdapterPart.A ? ".lora_a" : ".lora_b");

    private static void Require(GgufMetadata metadata, string key, string value)
    {
        if (metadata.RequiredText(key) is var found && found != value)
        {
            throw metadata.Fault(key, $"is {found}; it must be {value}");
        }
    }

    private static Tensor ReadTensor(GgufReader reader, LlamaConfig model, PlannedTensor plan)
    {
        var name = NameOf(plan.Module, plan.Part);
        var entry = reader.Find(name) ?? throw reader.Metadata.Fault(name, "is missing");
        if (!entry.Shape.SequenceEqual(plan.Shape))
        {
            throw reader.Metadata.Fault(name, string.Create(CultureInfo.InvariantCulture, $"has shape {TensorEntry.ShapeToText(entry.Shape)}; the model needs {TensorEntry.ShapeToText(plan.Shape)}"));
        }

        var values = new float[entry.Elements];
        reader.ReadRows(entry, 0, values);
        var heads = plan.Part == AdapterPart.B ? GgufNames.InterleavedHeads(model, plan.Module + ".weight") : 0;
        return tensor(heads == 0 ? values : InHalves(values, (int)plan.Shape[0], (int)plan.Shape[1], heads), plan.Shape);
    }

    private static float[] InHalves(float[] interleaved, int rows, int columns, int heads)
    {
        var ordered = new float[interleaved.Length];
        var headRows = rows / heads;
        for (var row = 0; row < rows; row++)
        {
            var from = row - (row % headRows) + GgufNames.InterleavedRow(row % headRows, headRows);
            interleaved.AsSpan(from * columns, columns).CopyTo(ordered.AsSpan(row * columns));
        }

        return ordered;
    }
}
