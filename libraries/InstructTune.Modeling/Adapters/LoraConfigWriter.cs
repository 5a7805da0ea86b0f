using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace InstructTune.Modeling.Adapters;

/// <summary>
/// <see cref="LoraConfig"/> to adapter_config.json: the fields that every PEFT release reads, and any other only where it differs from
/// its default, because releases 0.6 to 0.13 refuse fields they do not know. Keys sorted, two spaces, as json.dumps writes.
/// </summary>
internal static class LoraConfigWriter
{
    private static readonly JsonWriterOptions s_options = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static byte[] Write(LoraConfig config)
    {
        var fields = new SortedDictionary<string, Action<Utf8JsonWriter>>(StringComparer.Ordinal)
        {
            ["alpha_pattern"] = json => Map(json, config.AlphaPattern, (value) => Number(json, value)),
            ["auto_mapping"] = json => json.WriteNullValue(),
            ["base_model_name_or_path"] = json => json.WriteStringValue(config.BaseModelName),
            ["bias"] = json => json.WriteStringValue(config.Biases switch { BiasTraining.TargetsOnly => "lora_only", BiasTraining.All => "all", _ => "none" }),
            ["fan_in_fan_out"] = json => json.WriteBooleanValue(false),
            ["inference_mode"] = json => json.WriteBooleanValue(true),
            ["init_lora_weights"] = json => Initialization(json, config),
            ["layers_pattern"] = json => json.WriteNullValue(),
            ["layers_to_transform"] = json => ListOrNull(json, config.Layers, value => json.WriteNumberValue(value)),
            ["lora_alpha"] = json => Number(json, config.Alpha),
            ["lora_dropout"] = json => Real(json, config.Dropout),
            ["modules_to_save"] = json => ListOrNull(json, config.SavedModules, value => json.WriteStringValue(value)),
            ["peft_type"] = json => json.WriteStringValue("LORA"),
            ["r"] = json => json.WriteNumberValue(config.Rank),
            ["rank_pattern"] = json => Map(json, config.RankPattern, (value) => json.WriteNumberValue(value)),
            ["revision"] = json => json.WriteNullValue(),
            ["target_modules"] = json => Targets(json, config),
            ["task_type"] = json => json.WriteStringValue("CAUSAL_LM"),
        };
        AddUncommon(fields, config);

        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            foreach (var (key, write) in fields)
            {
                json.WritePropertyName(key);
                write(json);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void AddUncommon(SortedDictionary<string, Action<Utf8JsonWriter>> fields, LoraConfig config)
    {
        AddIf(config.UseRsLora, "use_rslora", json => json.WriteBooleanValue(true));
        AddIf(config.UseDora, "use_dora", json => json.WriteBooleanValue(true));
        AddIf(config.LoraBias, "lora_bias", json => json.WriteBooleanValue(true));
        AddIf(config.ExcludedModules.Count > 0, "exclude_modules", json => ListOrNull(json, config.ExcludedModules, value => json.WriteStringValue(value)));
        AddIf(config.TrainableTokens.Count > 0, "trainable_token_indices", json => ListOrNull(json, config.TrainableTokens, value => json.WriteNumberValue(value)));

        void AddIf(bool differs, string key, Action<Utf8JsonWriter> write)
        {
            if (differs)
            {
                fields.Add(key, write);
            }
        }
    }

    private static void Initialization(Utf8JsonWriter json, LoraConfig config)
    {
        if (config.Start != LoraStart.Uniform)
        {
            json.WriteStringValue(config.Start == LoraStart.Gaussian ? "gaussian" : "pissa");
        }
        else
        {
            json.WriteBooleanValue(true);
        }
    }

    private static void Targets(Utf8JsonWriter json, LoraConfig config)
    {
        if (config.TargetPattern is { } pattern)
        {
            json.WriteStringValue(pattern);
        }
        else
        {
            ListOrNull(json, config.TargetModules, value => json.WriteStringValue(value));
        }
    }

    private static void Map<T>(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, T>> entries, Action<T> write)
    {
        json.WriteStartObject();
        foreach (var (key, value) in entries)
        {
            json.WritePropertyName(key);
            write(value);
        }

        json.WriteEndObject();
    }

    private static void ListOrNull<T>(Utf8JsonWriter json, IReadOnlyList<T> values, Action<T> write)
    {
        if (values.Count == 0)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (var value in values)
        {
            write(value);
        }

        json.WriteEndArray();
    }

    private static void Number(Utf8JsonWriter json, double value)
    {
        if (value == Math.Floor(value) && Math.Abs(value) < long.MaxValue)
        {
            json.WriteNumberValue((long)value);
        }
        else
        {
            Real(json, value);
        }
    }

    // As Python: a whole float keeps its point.
    private static void Real(Utf8JsonWriter json, double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        json.WriteRawValue(value == Math.Floor(value) && !text.Contains('E', StringComparison.Ordinal) ? text + ".0" : text);
    }
}
