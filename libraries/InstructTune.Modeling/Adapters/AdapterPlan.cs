using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Adapters;

/// <summary>What a tensor of an adapter is.</summary>
internal enum AdapterPart
{
    A,
    B,
    BiasOfB,
    Magnitude,
    BaseBias,
    EmbeddingA,
    EmbeddingB,
    EmbeddingBase,
    TokenRows,
    Saved,
}

/// <summary>One tensor of an adapter: what it is, for which module, and its name and shape in PEFT's files.</summary>
internal sealed record PlannedTensor(AdapterPart Part, string Module, string Key, long[] Shape);

/// <summary>All tensors that an adapter of a configuration has on a model. Pure.</summary>
internal static class AdapterPlan
{
    public const string Embedding = "model.embed_tokens";
    public const string Head = "lm_head";
    private const string Prefix = "base_model.model.";

    /// <summary>The plan, or a refusal that names what cannot be.</summary>
    public static IReadOnlyList<PlannedTensor> Of(LlamaConfig model, LoraConfig config)
    {
        var result = new List<PlannedTensor>();
        foreach (var module in LinearModule.Of(model).Append(LinearModule.Head(model)))
        {
            if (ModuleMatch.Targets(config, module.Path))
            {
                AddLinear(result, config, module);
            }
        }

        if (ModuleMatch.Targets(config, Embedding))
        {
            var rank = config.RankOf(Embedding);
            Add(result, AdapterPart.EmbeddingBase, Embedding, ".base_layer.weight", model.VocabularySize, model.ModelWidth);
            Add(result, AdapterPart.EmbeddingA, Embedding, ".lora_embedding_A", rank, model.VocabularySize);
            Add(result, AdapterPart.EmbeddingB, Embedding, ".lora_embedding_B", model.ModelWidth, rank);
        }

        if (result.Count == 0)
        {
            throw Refusal("target_modules", $"{TargetText(config)} match no module of the base model");
        }

        AddOtherBiases(result, model, config);
        AddWholeModules(result, model, config);
        return [.. result.OrderBy(t => t.Key, StringComparer.Ordinal)];
    }

    /// <summary>The plan of one half of a pair.</summary>
    public static PlannedTensor Pair(AdapterPart part, string module, long[] shape) =>
        new(part, module, $"{Prefix}{module}.lora_{(part == AdapterPart.A ? 'A' : 'B')}.weight", shape);

    /// <summary>Entries of target_modules that mean nothing in the model.</summary>
    public static IReadOnlyList<string> UnmatchedTargets(LlamaConfig model, LoraConfig config) => config.TargetPattern is not null
        ? []
        : [.. config.TargetModules.Where(name => !LinearModule.Of(model).Select(m => m.Path).Append(Embedding).Append(Head).Any(p => ModuleMatch.IsNamed(p, name)))];

    private static void AddLinear(List<PlannedTensor> result, LoraConfig config, LinearModule module)
    {
        var rank = config.RankOf(module.Path);
        Add(result, AdapterPart.A, module.Path, ".lora_A.weight", rank, module.Inputs);
        Add(result, AdapterPart.B, module.Path, ".lora_B.weight", module.Outputs, rank);
        if (config.LoraBias)
        {
            Add(result, AdapterPart.BiasOfB, module.Path, ".lora_B.bias", module.Outputs);
        }

        if (config.UseDora)
        {
            Add(result, AdapterPart.Magnitude, module.Path, ".lora_magnitude_vector", module.Outputs);
        }

        if (config.Biases != BiasTraining.None && module.HasBias)
        {
            Add(result, AdapterPart.BaseBias, module.Path, ".base_layer.bias", module.Outputs);
        }
    }

    private static void AddOtherBiases(List<PlannedTensor> result, LlamaConfig model, LoraConfig config)
    {
        if (config.Biases != BiasTraining.All)
        {
            return;
        }

        foreach (var module in LinearModule.Of(model).Where(m => m.HasBias && !ModuleMatch.Targets(config, m.Path)))
        {
            Add(result, AdapterPart.BaseBias, module.Path, ".bias", module.Outputs);
        }
    }

    private static void AddWholeModules(List<PlannedTensor> result, LlamaConfig model, LoraConfig config)
    {
        foreach (var name in config.SavedModules)
        {
            var path = ModuleMatch.IsNamed(Embedding, name) ? Embedding
                : name == Head ? Head
                : throw Refusal("modules_to_save", $"{name} is not supported; embed_tokens and lm_head are");
            Add(result, AdapterPart.Saved, path, ".weight", model.VocabularySize, model.ModelWidth);
        }

        if (config.TrainableTokens.Count == 0)
        {
            return;
        }

        if (model.TiedEmbeddings)
        {
            throw Refusal("trainable_token_indices", "is not supported on a model with tied embeddings");
        }

        if (config.TrainableTokens.Any(t => t < 0 || t >= model.VocabularySize))
        {
            throw Refusal("trainable_token_indices", $"names a token outside the vocabulary of {model.VocabularySize}");
        }

        Add(result, AdapterPart.TokenRows, Embedding, ".token_adapter.trainable_tokens_delta", config.TrainableTokens.Count, model.ModelWidth);
    }

    private static void Add(List<PlannedTensor> result, AdapterPart part, string module, string suffix, params long[] shape) =>
        result.Add(new PlannedTensor(part, module, Prefix + module + suffix, shape));

    private static string TargetText(LoraConfig config) => config.TargetPattern ?? string.Join(", ", config.TargetModules);

    private static ModelFormatException Refusal(string key, string problem) => new("adapter_config.json", key, problem);
}

/// <summary>A linear layer of a model, by path.</summary>
internal sealed record LinearModule(string Path, int Inputs, int Outputs, bool HasBias)
{
    /// <summary>Linear layers of a block.</summary>
    public const int ByLayer = 7;

    public static LinearModule Head(LlamaConfig config) => new(AdapterPlan.Head, config.ModelWidth, config.VocabularySize, HasBias: false);

    /// <summary>The linear layers of all blocks, which is what "all-linear" means.</summary>
    public static IEnumerable<LinearModule> Of(LlamaConfig config)
    {
        var (width, feedForward) = (config.ModelWidth, config.FeedForwardWidth);
        var (query, keyValue) = (config.QueryHeads * config.HeadWidth, config.KeyValueHeads * config.HeadWidth);
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return new LinearModule(prefix + "self_attn.q_proj", width, query, config.QueryKeyValueBias);
            yield return new LinearModule(prefix + "self_attn.k_proj", width, keyValue, config.QueryKeyValueBias);
            yield return new LinearModule(prefix + "self_attn.v_proj", width, keyValue, config.QueryKeyValueBias);
            yield return new LinearModule(prefix + "self_attn.o_proj", query, width, config.AttentionOutputBias);
            yield return new LinearModule(prefix + "mlp.gate_proj", width, feedForward, config.FeedForwardBias);
            yield return new LinearModule(prefix + "mlp.up_proj", width, feedForward, config.FeedForwardBias);
            yield return new LinearModule(prefix + "mlp.down_proj", feedForward, width, config.FeedForwardBias);
        }
    }
}
