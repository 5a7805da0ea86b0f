using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>rope.* of the metadata and the tensor rope_freqs.weight.</summary>
internal static class GgufRotary
{
    public static RotaryScaling Read(GgufReader reader, string prefix, int headWidth, int contextTokens)
    {
        var metadata = reader.Metadata;
        var rotaryBase = metadata.Real(prefix + "rope.freq_base") ?? 10_000;
        if (rotaryBase <= 0)
        {
            throw metadata.Fault(prefix + "rope.freq_base", $"is {rotaryBase}; it must be above 0");
        }

        foreach (var name in (string[])["rope_factors_long.weight", "rope_factors_short.weight"])
        {
            if (reader.Find(name) is not null)
            {
                throw metadata.Fault(name, "factors by length are not supported");
            }
        }

        var scaling = ReadScaling(metadata, prefix, contextTokens) with { Base = rotaryBase };
        if (reader.Find(GgufNames.RotaryFactors) is not { } factors)
        {
            return scaling;
        }

        if (scaling.Kind != RotaryKind.Default)
        {
            throw metadata.Fault(GgufNames.RotaryFactors, $"comes together with {prefix}rope.scaling.type, and only one of them is supported");
        }

        return RotaryFactors.Fit(metadata, ReadFactors(reader, factors, headWidth), rotaryBase, headWidth, contextTokens);
    }

    private static float[] ReadFactors(GgufReader reader, GgufTensor tensor, int headWidth)
    {
        if (tensor.Shape is not [var count] || count != headWidth / 2)
        {
            throw reader.Metadata.Fault(tensor.Name, $"has shape {TensorEntry.ShapeToText(tensor.Shape)}; it must hold a divisor for each of {headWidth / 2} pairs");
        }

        var result = new float[headWidth / 2];
        reader.ReadRows(tensor, 0, result);
        return result.All(f => f > 0) ? result : throw reader.Metadata.Fault(tensor.Name, "holds a divisor that is not above 0");
    }

    private static RotaryScaling ReadScaling(GgufMetadata metadata, string prefix, int contextTokens)
    {
        var key = prefix + "rope.scaling.";
        var factor = metadata.Real(key + "factor") ?? metadata.Real(prefix + "rope.scale_linear") ?? 1;
        var type = metadata.Text(key + "type") ?? (metadata.Has(prefix + "rope.scale_linear") ? "linear" : "none");
        if (factor <= 0 && type != "none")
        {
            throw metadata.Fault(key + "factor", $"is {factor}; it must be above 0");
        }

        var original = metadata.Integer(key + "original_context_length", 1, int.MaxValue) ?? contextTokens;
        return type switch
        {
            "none" => new RotaryScaling { OriginalContextTokens = original },
            "linear" when factor == 1 => new RotaryScaling { OriginalContextTokens = original },
            "linear" => new RotaryScaling { Kind = RotaryKind.Linear, Factor = factor, OriginalContextTokens = original },
            "yarn" => new RotaryScaling
            {
                Kind = RotaryKind.Yarn,
                Factor = factor,
                OriginalContextTokens = original,
                BetaFast = metadata.Real(key + "yarn_beta_fast") ?? 32,
                BetaSlow = metadata.Real(key + "yarn_beta_slow") ?? 1,
                AttentionFactor = metadata.Real(key + "attn_factor") is { } given && given != 1 ? given * (1 + (0.1 * Math.Log(factor))) : null,
            },
            _ => throw metadata.Fault(key + "type", $"{type} is not supported; supported are none, linear and yarn"),
        };
    }
}
