using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Weights;

/// <summary>Writes model folders that transformers and its relatives load.</summary>
public static class HuggingFaceFolder
{
    /// <summary>Largest weight file before weights are sharded.</summary>
    public const long DefaultShardSizeBytes = 5_000_000_000;

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Copied byte for byte: a tokenizer that was written anew is a tokenizer that may differ.
    private static readonly string[] s_companions =
    [
        "added_tokens.json", "chat_template.jinja", "generation_config.json", "merges.txt", "special_tokens_map.json", "tokenizer.json",
        "tokenizer.model", "tokenizer_config.json", "vocab.json",
    ];

    /// <summary>Writes configuration, weights and, from the base, tokenizer and generation settings.</summary>
    /// <param name="folder">Where; made when absent, and without these files.</param>
    /// <param name="model">The model.</param>
    /// <param name="baseFolder">The folder that config.json and the tokenizer are taken from; without it config.json is written anew.</param>
    /// <param name="storageType">float32, bfloat16 or float16.</param>
    /// <param name="shardSizeBytes">Largest weight file.</param>
    public static void Write(
        string folder, LlamaModel model, string? baseFolder = null, string storageType = "float32", long shardSizeBytes = DefaultShardSizeBytes)
    {
        var type = ElementTypes.FromConfig(storageType)
            ?? throw new ArgumentException($"{storageType} is not a storage type; float32, bfloat16 and float16 are.", nameof(storageType));
        if (model.Format is BaseFormat.Nf4 or BaseFormat.Nf4PlainScales)
        {
            throw new ArgumentException("A quantised model has no weights to write; load the folder as float32.", nameof(model));
        }

        Directory.CreateDirectory(folder);
        WriteFile(Path.Combine(folder, "config.json"), Config(model, baseFolder, storageType));
        foreach (var name in s_companions)
        {
            if (baseFolder is not null && File.Exists(Path.Combine(baseFolder, name)))
            {
                File.Copy(Path.Combine(baseFolder, name), Path.Combine(folder, name));
            }
        }

        WriteWeights(folder, [.. model.Parameters.Select(p => TensorSource.Of(p, type))], shardSizeBytes);
    }

    private static byte[] Config(LlamaModel model, string? baseFolder, string storageType)
    {
        if (baseFolder is null)
        {
            return (model.Config with { StorageType = storageType }).ToJson();
        }

        // The base's own text with nothing touched but how weights are stored: unknown fields pass through.
        var root = JsonNode.Parse(File.ReadAllBytes(Path.Combine(baseFolder, "config.json")))!.AsObject();
        root.Remove("quantization_config");
        root[root.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = storageType;
        return JsonSerializer.SerializeToUtf8Bytes(root, s_json);
    }

    /// <summary>Writes the weights as one file, or as shards with their index when that file would be too large.</summary>
    internal static void WriteWeights(string folder, IReadOnlyList<TensorSource> tensors, long shardSizeBytes)
    {
        var shards = Shards(tensors, shardSizeBytes);
        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), shards[0]);
            return;
        }

        var map = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < shards.Count; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors");
            SafetensorsWriter.Write(Path.Combine(folder, name), shards[i]);
            shards[i].ForEach(t => map.Add(t.Name, name));
        }

        var index = new { metadata = new { total_size = tensors.Sum(t => t.SizeBytes) }, weight_map = map };
        WriteFile(Path.Combine(folder, ShardIndex.FileName), JsonSerializer.SerializeToUtf8Bytes(index, s_json));
    }

    private static List<List<TensorSource>> Shards(IReadOnlyList<TensorSource> tensors, long shardSizeBytes)
    {
        var result = new List<List<TensorSource>> { new() };
        long filled = 0;
        foreach (var tensor in tensors)
        {
            if (filled > 0 && filled + tensor.SizeBytes > shardSizeBytes)
            {
                result.Add([]);
                filled = 0;
            }

            result[^1].Add(tensor);
            filled += tensor.SizeBytes;
        }

        return result;
    }

    internal static void WriteFile(string path, byte[] content)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }
}
