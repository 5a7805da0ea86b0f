using System.Text.Json;
using System.Text.Json.Nodes;

namespace InstructTune.Modeling.Llama;

/// <summary><see cref="LlamaConfig"/> to config.json.</summary>
internal static class LlamaConfigWriter
{
    private static readonly JsonSerializerOptions s_options = new() { WriteIndented = true };

    public static byte[] Write(LlamaConfig config)
    {
        var root = new JsonObject
        {
            ["architectures"] = new JsonArray($"{config.Family}ForCausalLM"),
            ["attention_dropout"] = 0.0,
            ["bos_token_id"] = config.BeginOfTextId,
            ["eos_token_id"] = EndOfText(config),
            ["head_dim"] = config.HeadWidth,
            ["hidden_act"] = "silu",
            ["hidden_size"] = config.ModelWidth,
            ["initializer_range"] = config.InitializerRange,
            ["intermediate_size"] = config.FeedForwardWidth,
            ["max_position_embeddings"] = config.ContextTokens,
            ["model_type"] = config.Family.ToString().ToLowerInvariant(),
            ["num_attention_heads"] = config.QueryHeads,
            ["num_hidden_layers"] = config.LayerCount,
            ["num_key_value_heads"] = config.KeyValueHeads,
            ["rms_norm_eps"] = config.NormEpsilon,
            ["rope_scaling"] = Rotary(config.Rotary),
            ["rope_theta"] = config.Rotary.Base,
            ["tie_word_embeddings"] = config.TiedEmbeddings,
            ["torch_dtype"] = config.StorageType,
            ["use_cache"] = true,
            ["vocab_size"] = config.VocabularySize,
        };
        if (config.Family == ModelFamily.Llama)
        {
            root["attention_bias"] = config.QueryKeyValueBias;
            root["mlp_bias"] = config.FeedForwardBias;
        }
        else
        {
            AddWindows(root, config);
        }

        return JsonSerializer.SerializeToUtf8Bytes(root, s_options);
    }

    private static void AddWindows(JsonObject root, LlamaConfig config)
    {
        root["sliding_window"] = config.WindowTokens;
        if (config.Family == ModelFamily.Mistral)
        {
            return;
        }

        root["use_sliding_window"] = config.WindowTokens is not null;
        root["layer_types"] = new JsonArray([.. Enumerable.Range(0, config.LayerCount)
            .Select(i => (JsonNode)(config.WindowedLayers.Contains(i) ? "sliding_attention" : "full_attention"))]);
        if (config.Family == ModelFamily.Qwen3)
        {
            root["attention_bias"] = config.QueryKeyValueBias;
        }
    }

    private static JsonNode? EndOfText(LlamaConfig config) => config.EndOfTextIds switch
    {
        [] => null,
        [var only] => only,
        var several => new JsonArray([.. several.Select(id => (JsonNode)id)]),
    };

    private static JsonObject? Rotary(RotaryScaling scaling)
    {
        if (scaling.Kind == RotaryKind.Default)
        {
            return null;
        }

        var result = new JsonObject { ["rope_type"] = scaling.Kind.ToString().ToLowerInvariant(), ["factor"] = scaling.Factor };
        if (scaling.Kind != RotaryKind.Dynamic)
        {
            result["original_max_position_embeddings"] = scaling.OriginalContextTokens;
        }

        if (scaling.Kind == RotaryKind.Llama3)
        {
            result["low_freq_factor"] = scaling.LowFrequencyFactor;
            result["high_freq_factor"] = scaling.HighFrequencyFactor;
        }
        else if (scaling.Kind == RotaryKind.Yarn)
        {
            result["beta_fast"] = scaling.BetaFast;
            result["beta_slow"] = scaling.BetaSlow;
            result["mscale"] = scaling.Mscale;
            result["mscale_all_dim"] = scaling.MscaleAllDimensions;
            result["attention_factor"] = scaling.AttentionFactor;
            result["truncate"] = scaling.Truncate;
        }

        return result;
    }
}
