using System.Text.Json;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Adapters;

/// <summary>adapter_config.json of any PEFT release to <see cref="LoraConfig"/>.</summary>
internal static class LoraConfigReader
{
    // Fields that change the result when they are set; empty objects, empty lists, false and null mean "not set".
    private static readonly string[] s_unsupported =
    [
        "alora_invocation_tokens", "arrow_config", "corda_config", "ensure_weight_tying", "eva_config", "fan_in_fan_out", "kasa_config",
        "layer_replication", "loftq_config", "lora_ga_config", "megatron_config", "monteclora_config", "target_parameters", "use_bdlora",
        "use_qalora", "velora_config",
    ];

    private static readonly HashSet<string> s_known = new(
        [
            .. s_unsupported, "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "exclude_modules", "inference_mode",
            "init_lora_weights", "layers_pattern", "layers_to_transform", "lora_alpha", "lora_bias", "lora_dropout", "megatron_core",
            "modules_to_save", "peft_type", "peft_version", "qalora_group_size", "r", "rank_pattern", "revision", "runtime_config",
            "target_modules", "task_type", "trainable_token_indices", "use_dora", "use_rslora",
        ],
        StringComparer.Ordinal);

    private static readonly string[] s_defaultTargets = ["q_proj", "v_proj"];

    public static LoraConfig Read(ReadOnlySpan<byte> json, Action<string> warn)
    {
        var root = JsonSection.Parse("adapter_config.json", json);
        RefuseOtherMethods(root);
        foreach (var key in root.Keys.Where(k => !s_known.Contains(k)))
        {
            warn($"adapter_config.json: {key} is not known and is ignored");
        }

        var (targets, pattern) = Targets(root);
        return new LoraConfig
        {
            Rank = root.Count("r", 8),
            Alpha = root.Positive("lora_alpha", 8),
            Dropout = Dropout(root),
            TargetModules = targets,
            TargetPattern = pattern,
            ExcludedModules = root.Find("exclude_modules") is { ValueKind: JsonValueKind.String }
                ? throw root.Fault("exclude_modules", "a regular expression is not supported; write a list")
                : root.Texts("exclude_modules") ?? [],
            Layers = Layers(root),
            RankPattern = [.. Pattern(root, "rank_pattern").Select(p => KeyValuePair.Create(p.Key, p.Section.Count(p.Key)))],
            AlphaPattern = [.. Pattern(root, "alpha_pattern").Select(p => KeyValuePair.Create(p.Key, p.Section.Positive(p.Key)))],
            UseRsLora = root.Flag("use_rslora"),
            UseDora = root.Flag("use_dora"),
            LoraBias = root.Flag("lora_bias"),
            Biases = Bias(root),
            Start = Start(root),
            SavedModules = root.Texts("modules_to_save") ?? [],
            TrainableTokens = Tokens(root),
            BaseModelName = root.Text("base_model_name_or_path"),
        };
    }

    private static void RefuseOtherMethods(JsonSection root)
    {
        var type = root.Text("peft_type") ?? throw root.Fault("peft_type", "is missing");
        if (type != "LORA")
        {
            throw root.Fault("peft_type", $"{type} is not supported; only LORA is");
        }

        if (root.Text("task_type") is { } task && task != "CAUSAL_LM")
        {
            throw root.Fault("task_type", $"{task} is not supported; only CAUSAL_LM is");
        }

        foreach (var key in s_unsupported)
        {
            if (root.Find(key) is { } value && value.GetRawText() is not ("false" or "{}" or "[]"))
            {
                throw root.Fault(key, "is set, and this is not supported");
            }
        }
    }

    private static (IReadOnlyList<string> Names, string? Pattern) Targets(JsonSection root) => root.Find("target_modules") switch
    {
        null => (s_defaultTargets, null),
        { ValueKind: JsonValueKind.String } value when value.GetString() == "all-linear" => (LoraConfig.AllLinear, null),
        { ValueKind: JsonValueKind.String } value => ([], value.GetString()),
        _ => (root.Texts("target_modules")!, null),
    };

    private static double Dropout(JsonSection root) => root.Number("lora_dropout") switch
    {
        null => 0,
        >= 0 and < 1 and var share => share,
        var other => throw root.Fault("lora_dropout", $"is {other}; it must be from 0 to below 1"),
    };

    private static IReadOnlyList<int> Layers(JsonSection root)
    {
        if (root.Find("layers_pattern") is { } pattern && pattern.GetRawText() is not ("\"layers\"" or "[\"layers\"]" or "[]"))
        {
            throw root.Fault("layers_pattern", $"{pattern.GetRawText()} is not supported; the layers of these models are under \"layers\"");
        }

        return root.Integers("layers_to_transform");
    }

    private static IEnumerable<(string Key, JsonSection Section)> Pattern(JsonSection root, string name) =>
        root.Section(name) is { } section ? section.Keys.Select(key => (key, section)) : [];

    private static BiasTraining Bias(JsonSection root) => root.Text("bias") switch
    {
        null or "none" => BiasTraining.None,
        "lora_only" => BiasTraining.TargetsOnly,
        "all" => BiasTraining.All,
        var value => throw root.Fault("bias", $"{value} is not known; none, lora_only and all are"),
    };

    private static LoraStart Start(JsonSection root) => root.Find("init_lora_weights") switch
    {
        null or { ValueKind: JsonValueKind.True or JsonValueKind.False } => LoraStart.Uniform,
        { ValueKind: JsonValueKind.String } value when value.GetString() is "gaussian" => LoraStart.Gaussian,
        { ValueKind: JsonValueKind.String } value when value.GetString() is "pissa" => LoraStart.Pissa,
        { ValueKind: JsonValueKind.String } value when value.GetString() is "orthogonal" or "eva" => LoraStart.Uniform,
        var value => throw root.Fault(
            "init_lora_weights", $"{value.Value.GetRawText()} belongs to a changed base model that cannot be made again; convert the adapter to ordinary LoRA with PEFT first"),
    };

    private static IReadOnlyList<int> Tokens(JsonSection root)
    {
        if (root.Find("trainable_token_indices") is not { ValueKind: JsonValueKind.Object })
        {
            return root.Integers("trainable_token_indices");
        }

        var section = root.Section("trainable_token_indices")!.Value;
        return section.Keys.ToArray() is ["embed_tokens"]
            ? section.Integers("embed_tokens")
            : throw root.Fault("trainable_token_indices", "only embed_tokens is supported");
    }
}
