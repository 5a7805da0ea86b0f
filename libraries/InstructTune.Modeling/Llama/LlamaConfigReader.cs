using System.Text.Json;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Llama;

/// <summary>config.json to <see cref="LlamaConfig"/>.</summary>
internal static class LlamaConfigReader
{
    // Far above every model there is, and low enough that no number of a stranger's file is a size to allocate.
    internal const int MaxLayers = 1024;
    internal const int MaxWidth = 1 << 20;
    internal const int MaxVocabulary = 1 << 24;

    private const string FileName = "config.json";

    // Keys that change the result when they hold anything but the value beside them.
    private static readonly Dictionary<string, string> s_neutralValues = new(StringComparer.Ordinal)
    {
        ["attention_chunk_size"] = "null",
        ["attention_dropout"] = "0",
        ["attention_multiplier"] = "1",
        ["attn_logit_softcapping"] = "0",
        ["attn_temperature_tuning"] = "false",
        ["clip_qkv"] = "null",
        ["dim_model_base"] = "null",
        ["embedding_multiplier"] = "1",
        ["final_logit_softcapping"] = "0",
        ["hidden_activation"] = "null",
        ["kv_lora_rank"] = "null",
        ["logit_scale"] = "1",
        ["logits_scaling"] = "1",
        ["n_routed_experts"] = "0",
        ["no_rope_layers"] = "null",
        ["num_experts"] = "0",
        ["num_local_experts"] = "0",
        ["partial_rotary_factor"] = "1",
        ["qk_layernorm"] = "false",
        ["query_pre_attn_scalar"] = "0",
        ["quantization_config"] = "null",
        ["residual_multiplier"] = "1",
        ["rope_interleaved"] = "false",
        ["rope_local_base_freq"] = "null",
        ["scale_depth"] = "null",
        ["scale_emb"] = "1",
        ["use_parallel_residual"] = "false",
        ["use_qk_norm"] = "false",
    };

    public static LlamaConfig Read(ReadOnlySpan<byte> json)
    {
        var root = JsonSection.Parse(FileName, json);
        var family = Family(root);
        RefuseForeignMathematics(root);

        var width = Limited(root, "hidden_size", MaxWidth);
        var heads = Limited(root, "num_attention_heads", MaxWidth);
        var layers = Limited(root, "num_hidden_layers", MaxLayers);
        var context = root.Count("max_position_embeddings");
        var keyValueHeads = root.Count("num_key_value_heads", family is ModelFamily.Llama or ModelFamily.Mistral ? heads : null);
        Check(heads % keyValueHeads == 0, "num_key_value_heads", $"is {keyValueHeads}; it must divide num_attention_heads, which is {heads}");
        var headWidth = HeadWidth(root, family, width, heads);
        var (window, windowed) = Windows(root, family, layers);
        var attentionBias = root.Flag("attention_bias");
        return new LlamaConfig
        {
            Family = family,
            VocabularySize = Limited(root, "vocab_size", MaxVocabulary),
            ModelWidth = width,
            FeedForwardWidth = Limited(root, "intermediate_size", MaxWidth),
            LayerCount = layers,
            QueryHeads = heads,
            KeyValueHeads = keyValueHeads,
            HeadWidth = headWidth,
            ContextTokens = context,
            NormEpsilon = root.Positive("rms_norm_eps", 1e-6),
            Rotary = RotaryReader.Read(root, context),
            TiedEmbeddings = root.Flag("tie_word_embeddings"),
            QueryKeyValueBias = family == ModelFamily.Qwen2 || attentionBias,
            AttentionOutputBias = family != ModelFamily.Qwen2 && attentionBias,
            FeedForwardBias = root.Flag("mlp_bias"),
            WindowTokens = windowed.Count == 0 ? null : window,
            WindowedLayers = windowed,
            BeginOfTextId = root.Integers("bos_token_id") is [var begin, ..] ? begin : null,
            EndOfTextIds = root.Integers("eos_token_id"),
            InitializerRange = root.Positive("initializer_range", 0.02),
            StorageType = root.Text("dtype") ?? root.Text("torch_dtype") ?? "float32",
        };
    }

    private static int Limited(JsonSection root, string key, int limit)
    {
        var value = root.Count(key);
        Check(value <= limit, key, $"is {value}; the limit is {limit}");
        return value;
    }

    private static ModelFamily Family(JsonSection root)
    {
        var names = root.Texts("architectures");
        var type = root.Text("model_type");
        var name = names is [var first, ..] ? first : type ?? throw root.Fault("architectures", "is missing");
        return name switch
        {
            "LlamaForCausalLM" or "llama" => ModelFamily.Llama,
            "MistralForCausalLM" or "mistral" => ModelFamily.Mistral,
            "Qwen2ForCausalLM" or "qwen2" => ModelFamily.Qwen2,
            "Qwen3ForCausalLM" or "qwen3" => ModelFamily.Qwen3,
            _ => throw root.Fault(
                names is null ? "model_type" : "architectures",
                $"{name} is not supported; supported are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and Qwen3ForCausalLM"),
        };
    }

    private static void RefuseForeignMathematics(JsonSection root)
    {
        var activation = root.Text("hidden_act") ?? "silu";
        Check(activation is "silu" or "swish", "hidden_act", $"{activation} is not supported; only silu is");
        foreach (var (key, neutral) in s_neutralValues)
        {
            if (root.Find(key) is { } value && !IsNeutral(value, neutral) && !(key == "quantization_config" && IsFourBit(root)))
            {
                throw root.Fault(key, $"is {Short(value)}; this changes the mathematics and is not supported");
            }
        }
    }

    // Four-bit weights of bitsandbytes are read; each tensor says itself how it is quantised.
    private static bool IsFourBit(JsonSection root) =>
        root.Section("quantization_config") is { } section && section.Find("load_in_4bit") is { ValueKind: JsonValueKind.True };

    private static bool IsNeutral(JsonElement value, string neutral) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble().ToString("R", System.Globalization.CultureInfo.InvariantCulture) == neutral,
        _ => value.GetRawText() == neutral,
    };

    private static string Short(JsonElement value) => value.GetRawText() is { Length: <= 40 } text ? text : value.ValueKind.ToString();

    private static int HeadWidth(JsonSection root, ModelFamily family, int width, int heads)
    {
        var given = root.Integer("head_dim");
        if (given is null && family != ModelFamily.Qwen3)
        {
            Check(width % heads == 0, "num_attention_heads", $"is {heads}; without head_dim it must divide hidden_size, which is {width}");
        }

        var result = root.Count("head_dim", family == ModelFamily.Qwen3 ? 128 : width / heads);
        Check(result <= MaxWidth, "head_dim", $"is {result}; the limit is {MaxWidth}");
        Check(result % 2 == 0, "head_dim", $"is {result}; rotary positions turn pairs, so it must be even");
        return result;
    }

    private static (int? Window, HashSet<int> Layers) Windows(JsonSection root, ModelFamily family, int layers)
    {
        var window = root.Integer("sliding_window") is { } given ? (int?)root.Count("sliding_window", (int)given) : null;
        if (root.Texts("layer_types") is { } types)
        {
            return (window, WindowsByType(root, types, window, layers));
        }

        var first = family switch
        {
            ModelFamily.Mistral when window is not null => 0,
            ModelFamily.Qwen2 or ModelFamily.Qwen3 when window is not null && root.Flag("use_sliding_window") =>
                (int)(root.Integer("max_window_layers") ?? 28),
            _ => layers,
        };
        return (window, [.. Enumerable.Range(0, layers).Where(i => i >= first)]);
    }

    private static HashSet<int> WindowsByType(JsonSection root, IReadOnlyList<string> types, int? window, int layers)
    {
        Check(types.Count == layers, "layer_types", $"has {types.Count} entries; num_hidden_layers is {layers}");
        var windowed = new HashSet<int>();
        for (var i = 0; i < types.Count; i++)
        {
            Check(types[i] is "full_attention" or "sliding_attention", "layer_types", $"{types[i]} is not supported");
            if (types[i] == "sliding_attention")
            {
                Check(window is not null, "sliding_window", "is missing, yet layer_types asks for it");
                windowed.Add(i);
            }
        }

        return windowed;
    }

    private static void Check(bool holds, string key, string otherwise)
    {
        if (!holds)
        {
            throw new ModelFormatException(FileName, key, otherwise);
        }
    }
}
