using System.Text.Json;

namespace InstructTune.Modeling.Llama;

/// <summary>The rotary keys of config.json: rope_parameters, or rope_theta with rope_scaling.</summary>
internal static class RotaryReader
{
    public static RotaryScaling Read(JsonSection root, int contextTokens)
    {
        var section = root.Section("rope_parameters") ?? root.Section("rope_scaling");
        var outerBase = root.Number("rope_theta");
        if (section is not { } rope)
        {
            return new RotaryScaling { Base = outerBase ?? 10_000, OriginalContextTokens = contextTokens };
        }

        foreach (var key in rope.Keys)
        {
            if (rope.Find(key) is { ValueKind: JsonValueKind.Object })
            {
                throw rope.Fault(key, "rotary parameters by kind of layer are not supported");
            }
        }

        if (rope.Find("mrope_section") is not null)
        {
            throw rope.Fault("mrope_section", "positions of several dimensions are not supported");
        }

        if (rope.Number("partial_rotary_factor") is { } part && part != 1)
        {
            throw rope.Fault("partial_rotary_factor", $"is {part}; only whole heads are rotated");
        }

        var type = rope.Text("rope_type") ?? rope.Text("type") ?? "default";
        var kind = Kind(rope, type);
        return ReadNumbers(rope, kind, contextTokens) with { Base = rope.Number("rope_theta") ?? outerBase ?? 10_000 };
    }

    private static RotaryKind Kind(JsonSection rope, string type) => type switch
    {
        "default" => RotaryKind.Default,
        "linear" => RotaryKind.Linear,
        "dynamic" => RotaryKind.Dynamic,
        "llama3" => RotaryKind.Llama3,
        "yarn" => RotaryKind.Yarn,
        _ => throw rope.Fault("rope_type", $"{type} is not supported; supported are default, linear, dynamic, llama3 and yarn"),
    };

    private static RotaryScaling ReadNumbers(JsonSection rope, RotaryKind kind, int contextTokens)
    {
        // The dynamic rule grows from the context of the model itself, whatever else is written.
        var original = kind == RotaryKind.Dynamic
            ? contextTokens
            : rope.Count("original_max_position_embeddings", contextTokens);
        var scaling = new RotaryScaling
        {
            Kind = kind,
            OriginalContextTokens = original,
            Factor = kind == RotaryKind.Default ? 1 : rope.Positive("factor"),
        };
        return kind switch
        {
            RotaryKind.Llama3 => scaling with
            {
                LowFrequencyFactor = rope.Positive("low_freq_factor"),
                HighFrequencyFactor = rope.Positive("high_freq_factor"),
            },
            RotaryKind.Yarn => scaling with
            {
                BetaFast = rope.Positive("beta_fast", 32),
                BetaSlow = rope.Positive("beta_slow", 1),
                Mscale = rope.Number("mscale") ?? 0,
                MscaleAllDimensions = rope.Number("mscale_all_dim") ?? 0,
                AttentionFactor = rope.Number("attention_factor"),
                Truncate = rope.Flag("truncate", true),
            },
            _ => scaling,
        };
    }
}
