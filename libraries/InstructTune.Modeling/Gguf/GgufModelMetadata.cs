using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>The configuration of a model as metadata.</summary>
internal static class GgufModelMetadata
{
    public static void Write(GgufWriter writer, LlamaConfig config, GgufTensorType type, string name)
    {
        RefuseInexpressible(config);
        var architecture = GgufNames.Architecture(config.Family);
        writer.Add("general.architecture", architecture);
        writer.Add("general.name", name);
        writer.Add("general.file_type", FileType(type));
        writer.Add("general.quantization_version", 2);
        writer.Add($"{architecture}.vocab_size", config.VocabularySize);
        writer.Add($"{architecture}.context_length", config.ContextTokens);
        writer.Add($"{architecture}.embedding_length", config.ModelWidth);
        writer.Add($"{architecture}.block_count", config.LayerCount);
        writer.Add($"{architecture}.feed_forward_length", config.FeedForwardWidth);
        writer.Add($"{architecture}.attention.head_count", config.QueryHeads);
        writer.Add($"{architecture}.attention.head_count_kv", config.KeyValueHeads);
        writer.Add($"{architecture}.attention.layer_norm_rms_epsilon", (float)config.NormEpsilon);
        writer.Add($"{architecture}.rope.freq_base", (float)config.Rotary.Base);
        writer.Add($"{architecture}.rope.dimension_count", config.HeadWidth);
        if (config.HeadWidth * config.QueryHeads != config.ModelWidth)
        {
            writer.Add($"{architecture}.attention.key_length", config.HeadWidth);
            writer.Add($"{architecture}.attention.value_length", config.HeadWidth);
        }

        WriteScaling(writer, config.Rotary, $"{architecture}.rope.scaling.");
    }

    /// <summary>The number of general.file_type.</summary>
    public static int FileType(GgufTensorType type) => type switch
    {
        GgufTensorType.F32 => 0,
        GgufTensorType.F16 => 1,
        GgufTensorType.Q4_0 => 2,
        _ => 7,
    };

    private static void RefuseInexpressible(LlamaConfig config)
    {
        if (config.Rotary.Kind == RotaryKind.Dynamic)
        {
            throw new ModelFormatException("config.json", "rope_type", "dynamic cannot be expressed in GGUF");
        }

        if (config.WindowedLayers.Count > 0 && config.WindowTokens < config.ContextTokens)
        {
            throw new ModelFormatException("config.json", "sliding_window", $"is {config.WindowTokens}; GGUF files of this architecture have no window");
        }
    }

    // The divisors of Llama 3 are a tensor, not metadata.
    private static void WriteScaling(GgufWriter writer, RotaryScaling rotary, string prefix)
    {
        if (rotary.Kind == RotaryKind.Linear)
        {
            writer.Add(prefix + "type", "linear");
            writer.Add(prefix + "factor", (float)rotary.Factor);
        }
        else if (rotary.Kind == RotaryKind.Yarn)
        {
            writer.Add(prefix + "type", "yarn");
            writer.Add(prefix + "factor", (float)rotary.Factor);
            writer.Add(prefix + "original_context_length", rotary.OriginalContextTokens);
            writer.Add(prefix + "yarn_beta_fast", (float)rotary.BetaFast);
            writer.Add(prefix + "yarn_beta_slow", (float)rotary.BetaSlow);
            if (!rotary.Truncate)
            {
                throw new ModelFormatException("config.json", "truncate", "false cannot be expressed in GGUF");
            }

            // llama.cpp multiplies its own 1 + 0.1 ln(factor) with this.
            writer.Add(prefix + "attn_factor", (float)(RotaryFrequencies.AttentionFactor(rotary) / (1 + (0.1 * Math.Log(rotary.Factor)))));
        }
    }
}
