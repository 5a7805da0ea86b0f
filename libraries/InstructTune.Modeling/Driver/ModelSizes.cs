using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Driver;

/// <summary>How many numbers the tensors of a model or an adapter have, by tensor, from its shape alone.</summary>
public static class ModelSizes
{
    /// <summary>Of the matrices of linear layers of the blocks, by name.</summary>
    public static IEnumerable<(string Name, long Count)> Linear(LlamaConfig config) =>
        LinearModule.Of(config).Select(module => (module.Path + ".weight", (long)module.Inputs * module.Outputs));

    /// <summary>The smaller of inputs and outputs of each linear layer of the blocks, by path: the greatest rank that its weights can have.</summary>
    public static IEnumerable<(string Path, int Rank)> GreatestRanks(LlamaConfig config) =>
        LinearModule.Of(config).Select(module => (module.Path, Math.Min(module.Inputs, module.Outputs)));

    /// <summary>Of everything else, by name: embedding, output head, norms and biases.</summary>
    public static IEnumerable<(string Name, long Count)> Others(LlamaConfig config)
    {
        var table = (long)config.VocabularySize * config.ModelWidth;
        yield return (AdapterPlan.Embedding + ".weight", table);
        yield return ("model.norm.weight", config.ModelWidth);
        if (!config.TiedEmbeddings)
        {
            yield return (AdapterPlan.Head + ".weight", table);
        }

        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", config.ModelWidth);
            yield return (prefix + "post_attention_layernorm.weight", config.ModelWidth);
            if (config.HeadNorms)
            {
                yield return (prefix + "self_attn.q_norm.weight", config.HeadWidth);
                yield return (prefix + "self_attn.k_norm.weight", config.HeadWidth);
            }
        }

        foreach (var module in LinearModule.Of(config).Where(module => module.HasBias))
        {
            yield return (module.Path + ".bias", module.Outputs);
        }
    }

    /// <summary>Of what an adapter trains.</summary>
    public static IEnumerable<long> Adapter(LlamaConfig config, LoraConfig lora) =>
        AdapterPlan.Of(config, lora).Select(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));
}
