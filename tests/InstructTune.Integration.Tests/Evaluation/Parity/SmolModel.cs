using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Evaluation.Parity;

/// <summary>SmolLM2-135M-Instruct as a Hugging Face folder in float32, made from the file with its quantised weights.</summary>
internal static partial class SmolModel
{
    private static readonly Dictionary<string, string> Parts = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm", ["ffn_norm"] = "post_attention_layernorm", ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj", ["attn_v"] = "self_attn.v_proj", ["attn_output"] = "self_attn.o_proj",
        ["ffn_gate"] = "mlp.gate_proj", ["ffn_up"] = "mlp.up_proj", ["ffn_down"] = "mlp.down_proj",
    };

    /// <summary>Writes the folder; skips the test where the model is absent.</summary>
    public static void Write(string folder)
    {
        var source = FixtureFolder.RequireBeside("models/smollm2-135m-instruct");
        foreach (var file in (string[])["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"])
        {
            File.Copy(Path.Combine(source, file), Path.Combine(folder, file));
            File.SetUnixFileMode(Path.Combine(folder, file), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(source, "config.json"))).RootElement;
        var weights = new GgufReader(Directory.GetFiles(source, "*.gguf").Single());
        WriteWeights(Path.Combine(folder, "model.safetensors"), weights, config);
    }

    private static void WriteWeights(string path, GgufReader weights, JsonElement config)
    {
        var header = new Dictionary<string, object>(StringComparer.Ordinal);
        var offset = 0L;
        foreach (var tensor in weights.Tensors)
        {
            var size = tensor.Shape.Aggregate((long)sizeof(float), (product, length) => product * length);
            header[NameOf(tensor.Name)] = new { dtype = "F32", shape = tensor.Shape, data_offsets = new[] { offset, offset + size } };
            offset += size;
        }
        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        using var file = File.Create(path);
        file.Write(BitConverter.GetBytes((long)json.Length));
        file.Write(json);
        foreach (var tensor in weights.Tensors)
        {
            file.Write(MemoryMarshal.AsBytes<float>(InHalves(tensor, weights.Read(tensor), config)));
        }
    }

    private static string NameOf(string name) => name switch
    {
        "token_embd.weight" => "model.embed_tokens.weight",
        "output_norm.weight" => "model.norm.weight",
        _ when LayerName().Match(name) is { Success: true } match => $"model.layers.{match.Groups[1].Value}.{Parts[match.Groups[2].Value]}.weight",
        _ => throw new InvalidDataException($"The file has a tensor {name}."),
    };

    // The file pairs neighbouring rows of queries and keys for the rotation; Hugging Face pairs the halves of a head.
    private static float[] InHalves(GgufTensor tensor, float[] values, JsonElement config)
    {
        var heads = tensor.Name.Contains("attn_q.", StringComparison.Ordinal) ? config.GetProperty("num_attention_heads").GetInt32()
            : tensor.Name.Contains("attn_k.", StringComparison.Ordinal) ? config.GetProperty("num_key_value_heads").GetInt32()
            : 0;
        if (heads == 0)
        {
            return values;
        }
        var (width, size) = ((int)tensor.Shape[1], (int)tensor.Shape[0] / heads);
        var result = new float[values.Length];
        for (var row = 0; row < heads * size; row++)
        {
            var (head, half, pair) = (row / size, row % size / (size / 2), row % (size / 2));
            values.AsSpan(((head * size) + (pair * 2) + half) * width, width).CopyTo(result.AsSpan(row * width));
        }
        return result;
    }

    [GeneratedRegex(@"^blk\.(\d+)\.(\w+)\.weight$")]
    private static partial Regex LayerName();
}
