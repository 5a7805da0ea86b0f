using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>Adapters into weights.</summary>
public static class LoraMerge
{
    /// <summary>Adds an adapter to the weights of a model, in place and in float32; afterwards the model alone computes what both did.</summary>
    /// <exception cref="ModelFormatException">The adapter changes something that the model's files cannot express.</exception>
    public static void Into(LlamaModel model, LoraAdapter adapter)
    {
        if (model.Format != BaseFormat.Fp32)
        {
            throw new InvalidOperationException($"An adapter is merged in float32, and this model's weights are kept as {model.Format}.");
        }

        RefuseInexpressible(model.Config, adapter);
        using var frozen = no_grad();
        foreach (var (module, bias_O) in adapter.Biases)
        {
            model.Write(module + ".bias", bias_O);
        }

        foreach (var module in adapter.Modules.Values)
        {
            using var scope = NewDisposeScope();
            var weight_OI = model.Read(module.Path + ".weight");
            weight_OI.copy_(module.MergedWeight(weight_OI));
            if (module.BiasOfB_O is not null)
            {
                model.Read(module.Path + ".bias").add_(module.BiasOfB_O, module.Scale);
            }
        }

        MergeWholeModules(model, adapter);
    }

    private static void MergeWholeModules(LlamaModel model, LoraAdapter adapter)
    {
        using var scope = NewDisposeScope();
        var embedding_VD = model.Read(AdapterPlan.Embedding + ".weight");
        if (adapter.Find(AdapterPart.Saved, AdapterPlan.Embedding) is { } saved)
        {
            embedding_VD.copy_(saved);
        }

        if (adapter.Find(AdapterPart.EmbeddingA, AdapterPlan.Embedding) is { } a_RV)
        {
            var b_DR = adapter.Find(AdapterPart.EmbeddingB, AdapterPlan.Embedding)!;
            embedding_VD.add_(b_DR.mm(a_RV).t(), adapter.Config.ScaleOf(AdapterPlan.Embedding));
        }

        if (adapter.Find(AdapterPart.TokenRows, AdapterPlan.Embedding) is { } rows)
        {
            embedding_VD.index_copy_(0, tensor([.. adapter.Config.TrainableTokens.Select(t => (long)t)]), rows);
        }

        if (adapter.Find(AdapterPart.Saved, AdapterPlan.Head) is { } head)
        {
            model.Read(AdapterPlan.Head + ".weight").copy_(head);
        }
    }

    private static void RefuseInexpressible(LlamaConfig config, LoraAdapter adapter)
    {
        if (adapter.Config.Start == LoraStart.Pissa)
        {
            throw new ModelFormatException("adapter_config.json", "init_lora_weights", "a PiSSA adapter fits its residual base only; convert it to an ordinary one first");
        }

        var touchesEmbedding = adapter.Config.SavedModules.Count > 0
            || adapter.Find(AdapterPart.EmbeddingA, AdapterPlan.Embedding) is not null
            || adapter.Modules.ContainsKey(AdapterPlan.Head);
        if (config.TiedEmbeddings && touchesEmbedding)
        {
            throw new ModelFormatException("adapter_config.json", "modules_to_save", "embedding and output head of the base are tied, so a change of one alone cannot be merged");
        }

        if (adapter.Config.LoraBias && LinearModule.Of(config).Append(LinearModule.Head(config)).FirstOrDefault(m => !m.HasBias && adapter.Modules.ContainsKey(m.Path)) is { } module)
        {
            throw new ModelFormatException("adapter_config.json", "lora_bias", $"{module.Path} of the base has no bias to merge it into");
        }
    }
}
