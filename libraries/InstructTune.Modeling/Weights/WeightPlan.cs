using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Weights;

/// <summary>A weight that a configuration asks for.</summary>
internal sealed record PlannedWeight(string Name, IReadOnlyList<long> Shape);

/// <summary>Every weight of a model under its Hugging Face name, from the configuration alone: nothing is allocated.</summary>
internal static class WeightPlan
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string Head = "lm_head.weight";
    public const string FinalNorm = "model.norm.weight";

    /// <summary>By name, in ordinal order. A tied output head is not listed.</summary>
    public static IReadOnlyList<PlannedWeight> Of(LlamaConfig config)
    {
        var result = new List<PlannedWeight>();
        void Add(string name, params long[] shape) => result.Add(new PlannedWeight(name, shape));

        Add(Embedding, config.VocabularySize, config.ModelWidth);
        Add(FinalNorm, config.ModelWidth);
        if (!config.TiedEmbeddings)
        {
            Add(Head, config.VocabularySize, config.ModelWidth);
        }

        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            Add(prefix + "input_layernorm.weight", config.ModelWidth);
            Add(prefix + "post_attention_layernorm.weight", config.ModelWidth);
            if (config.HeadNorms)
            {
                Add(prefix + "self_attn.q_norm.weight", config.HeadWidth);
                Add(prefix + "self_attn.k_norm.weight", config.HeadWidth);
            }
        }

        foreach (var module in LinearModule.Of(config))
        {
            Add(module.Path + ".weight", module.Outputs, module.Inputs);
            if (module.HasBias)
            {
                Add(module.Path + ".bias", module.Outputs);
            }
        }

        return [.. result.OrderBy(w => w.Name, StringComparer.Ordinal)];
    }
}
