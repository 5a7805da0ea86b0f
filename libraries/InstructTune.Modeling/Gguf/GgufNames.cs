using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Gguf;

/// <summary>Names of weights in Hugging Face and in GGUF, and the order of rows in which they differ.</summary>
internal static class GgufNames
{
    public const string Embedding = "token_embd.weight";
    public const string Head = "output.weight";
    public const string RotaryFactors = "rope_freqs.weight";

    private static readonly (string HuggingFace, string Gguf)[] s_parts =
    [
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
    ];

    /// <summary>The name in GGUF of a weight of these models, such as blk.0.attn_q.weight.</summary>
    public static string OfHuggingFace(string name)
    {
        const string layers = "model.layers.";
        if (!name.StartsWith(layers, StringComparison.Ordinal))
        {
            return name switch
            {
                "model.embed_tokens.weight" => Embedding,
                "model.norm.weight" => "output_norm.weight",
                "lm_head.weight" => Head,
                _ => throw new ArgumentException($"{name} is no weight of a LLaMA.", nameof(name)),
            };
        }

        var rest = name[layers.Length..];
        var dot = rest.IndexOf('.', StringComparison.Ordinal);
        var (layer, module) = (rest[..dot], rest[(dot + 1)..]);
        var end = module.LastIndexOf('.');
        var part = Array.Find(s_parts, p => module.AsSpan(0, end).SequenceEqual(p.HuggingFace));
        return part.Gguf is null
            ? throw new ArgumentException($"{name} is no weight of a LLaMA.", nameof(name))
            : $"blk.{layer}.{part.Gguf}{module[end..]}";
    }

    /// <summary>
    /// The number of heads whose rows are interleaved in GGUF (0, d/2, 1, d/2 + 1, ..) and in halves in Hugging Face; 0 where rows are alike.
    /// </summary>
    public static int InterleavedHeads(LlamaConfig config, string huggingFaceName)
    {
        if (Architecture(config.Family) != "llama")
        {
            return 0;
        }

        return huggingFaceName.Contains(".self_attn.q_proj.", StringComparison.Ordinal) ? config.QueryHeads
            : huggingFaceName.Contains(".self_attn.k_proj.", StringComparison.Ordinal) ? config.KeyValueHeads
            : 0;
    }

    /// <summary>Where row i of a head of Hugging Face lies in GGUF.</summary>
    public static int InterleavedRow(int row, int headRows) => row < headRows / 2 ? 2 * row : (2 * (row - (headRows / 2))) + 1;

    /// <summary>general.architecture of a family. Mistral has the mathematics of LLaMA and goes by its name.</summary>
    public static string Architecture(ModelFamily family) => family switch
    {
        ModelFamily.Qwen2 => "qwen2",
        ModelFamily.Qwen3 => "qwen3",
        _ => "llama",
    };
}
