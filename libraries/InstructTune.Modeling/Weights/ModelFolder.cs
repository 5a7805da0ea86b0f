using System.Text.Json;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Quantization;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>A Hugging Face model folder on disk, checked and read.</summary>
public static class ModelFolder
{
    private const string HeadName = "lm_head.weight";
    private const string EmbeddingName = "model.embed_tokens.weight";

    /// <summary>Reads config.json only.</summary>
    /// <exception cref="ModelFormatException">The file is missing or not supported.</exception>
    public static LlamaConfig ReadConfig(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        return File.Exists(path)
            ? LlamaConfig.Parse(File.ReadAllBytes(path))
            : throw new ModelFormatException("config.json", "", "the file is missing");
    }

    /// <summary>Loads the model, frozen.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="warn">Told about oddities that do not stop the load; silent when null.</param>
    /// <param name="format">How the weights are kept.</param>
    /// <param name="backend">Where they lie; the processor when null.</param>
    /// <exception cref="ModelFormatException">A file, key or tensor is missing, extra, malformed or not supported.</exception>
    public static LlamaModel Load(string folder, Action<string>? warn = null, BaseFormat format = BaseFormat.Fp32, ModelBackend? backend = null)
    {
        var config = ReadConfig(folder);
        CompareTokenizer(folder, config);
        warn ??= static _ => { };
        using var files = WeightFiles.Open(folder, warn);
        RefuseOtherWeights(files, config);
        var model = new LlamaModel(config, format, backend);
        try
        {
            foreach (var weight in model.Weights)
            {
                Fill(weight, files, model.Backend);
            }

            CompareTiedHead(model, files, warn);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Compares the files with the configuration, before anything is allocated.</summary>
    internal static void RefuseOtherWeights(WeightFiles files, LlamaConfig config)
    {
        var plan = WeightPlan.Of(config);
        var missing = plan.Where(w => files.Find(w.Name) is null).Select(w => w.Name).ToList();
        if (missing.Count > 0)
        {
            throw new ModelFormatException("model.safetensors", missing[0], $"is missing{Others(missing)}");
        }

        var expected = plan.Select(w => w.Name).ToHashSet(StringComparer.Ordinal);
        var extra = files.Names
            .Where(n => !expected.Contains(n) && !IsOfQuantized(n, expected) && !(config.TiedEmbeddings && n == HeadName) && !IsDerived(n))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (extra.Count > 0)
        {
            throw new ModelFormatException(files.Find(extra[0])!.FileName, extra[0], $"is unexpected: config.json describes no such tensor{Others(extra)}");
        }

        foreach (var (name, shape) in plan)
        {
            var file = files.Find(name)!;
            if (!QuantizedWeights.Has(file, name))
            {
                RefuseShape(file, name, file.Find(name)!.Shape, shape);
            }
        }
    }

    private static string Others(List<string> names) =>
        names.Count == 1 ? "" : $", as are {names.Count - 1} more: {string.Join(", ", names.Skip(1).Take(8))}";

    // What bitsandbytes writes beside the codes of a matrix: NAME.absmax, NAME.quant_map and so on.
    private static bool IsOfQuantized(string name, HashSet<string> expected) =>
        name.IndexOf(".weight.", StringComparison.Ordinal) is > 0 and var end && expected.Contains(name[..(end + ".weight".Length)]);

    // Old checkpoints store the rotary frequencies, which follow from config.json.
    private static bool IsDerived(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    private static void Fill(ModelWeight weight, WeightFiles files, ModelBackend backend)
    {
        var file = files.Find(weight.Name)!;
        var entry = file.Find(weight.Name)!;
        if (QuantizedWeights.Has(file, weight.Name))
        {
            var quantized = QuantizedWeights.Read(file, weight.Name);
            RefuseShape(file, weight.Name, quantized.Shape, weight.Shape);
            weight.WriteQuantized(quantized);
        }
        else if (weight.Plain is { } tensor && backend.SharesMemory)
        {
            file.ReadInto(entry, tensor);
        }
        else
        {
            using var frozen = no_grad();
            using var value = file.ReadFinite(weight.Name);
            weight.Write(value);
        }

        file.Forget(entry);
    }

    private static void RefuseShape(SafetensorsReader file, string name, IReadOnlyList<long> shape, IReadOnlyList<long> asked)
    {
        if (!shape.SequenceEqual(asked))
        {
            throw new ModelFormatException(file.FileName, name, $"has shape {TensorEntry.ShapeToText(shape)}; config.json asks for {TensorEntry.ShapeToText(asked)}");
        }
    }

    private static void CompareTiedHead(LlamaModel model, WeightFiles files, Action<string> warn)
    {
        if (!model.Config.TiedEmbeddings || files.Find(HeadName) is not { } file)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var stored = file.ReadFloat32(HeadName);
        var embedding = model.Parameters.First(p => p.Name == EmbeddingName).Value;
        if (!stored.shape.SequenceEqual(embedding.shape) || !stored.to(embedding.dtype, embedding.device).eq(embedding).all().item<bool>())
        {
            warn($"{file.FileName}: {HeadName}: differs from {EmbeddingName} although tie_word_embeddings is true; the embedding is used");
        }
    }

    private static void CompareTokenizer(string folder, LlamaConfig config)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        if (!File.Exists(path))
        {
            return;
        }

        var root = JsonSection.Parse("tokenizer.json", File.ReadAllBytes(path));
        var ids = new List<long>();
        if (root.Section("model")?.Section("vocab") is { } vocabulary)
        {
            ids.AddRange(vocabulary.Keys.Select(k => vocabulary.Integer(k) ?? 0));
        }

        if (root.Find("added_tokens") is { ValueKind: JsonValueKind.Array } added)
        {
            ids.AddRange(added.EnumerateArray().Select(t => t.TryGetProperty("id", out var id) && id.TryGetInt64(out var number) ? number : 0));
        }

        var count = ids.Count == 0 ? 0 : ids.Max() + 1;
        if (count > config.VocabularySize)
        {
            throw new ModelFormatException("config.json", "vocab_size", $"is {config.VocabularySize}; tokenizer.json has {count} tokens");
        }
    }
}
