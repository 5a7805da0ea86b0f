using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>
/// First values of an adapter: A uniform and B zero (embeddings the other way round), magnitudes and copies taken from the base, so that
/// step 0 is the base model.
/// </summary>
internal static class LoraInitialization
{
    public static LoraAdapter Create(LlamaModel model, LoraConfig config, StepSeed seed)
    {
        if (AdapterPlan.UnmatchedTargets(model.Config, config) is [var first, ..])
        {
            throw new ModelFormatException("adapter_config.json", "target_modules", $"{first} matches no module of the base model");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(config.Rank, 1);
        if (config.Start == LoraStart.Pissa && config.UseDora)
        {
            throw new ModelFormatException("adapter_config.json", "init_lora_weights", "pissa does not go with use_dora: the magnitudes would be those of the residual base");
        }

        using var frozen = no_grad();
        var tensors = new List<(PlannedTensor, Tensor)>();
        var principal = new Dictionary<string, (Tensor A_RI, Tensor B_OR)>(StringComparer.Ordinal);
        foreach (var plan in AdapterPlan.Of(model.Config, config))
        {
            if (config.Start == LoraStart.Pissa && plan.Part is AdapterPart.A or AdapterPart.B && !principal.ContainsKey(plan.Module))
            {
                principal[plan.Module] = PissaConversion.Start(model, config, plan.Module);
            }

            tensors.Add((plan, config.Start == LoraStart.Pissa && plan.Part is AdapterPart.A ? principal[plan.Module].A_RI
                : config.Start == LoraStart.Pissa && plan.Part is AdapterPart.B ? principal[plan.Module].B_OR
                : First(model, config, plan, seed.Derive(plan.Key))));
        }

        return new LoraAdapter(config, tensors);
    }

    private static Tensor First(LlamaModel model, LoraConfig config, PlannedTensor plan, StepSeed seed)
    {
        using var scope = NewDisposeScope();
        var value = plan.Part switch
        {
            AdapterPart.A when config.Start == LoraStart.Gaussian => Normal(plan.Shape, 1.0 / plan.Shape[0], seed),
            AdapterPart.A => Uniform(plan.Shape, 1 / Math.Sqrt(plan.Shape[1]), seed),
            AdapterPart.EmbeddingB => Normal(plan.Shape, 1, seed),
            AdapterPart.Magnitude => LoraLinear.RowNorm(model.Read(plan.Module + ".weight")),
            AdapterPart.BaseBias => model.Read(plan.Module + ".bias").clone(),
            AdapterPart.EmbeddingBase => model.Read(plan.Module + ".weight"),
            AdapterPart.Saved => model.Read(plan.Module + ".weight").clone(),
            AdapterPart.TokenRows => model.Read(plan.Module + ".weight").index_select(0, tensor([.. config.TrainableTokens.Select(t => (long)t)])),
            _ => zeros(plan.Shape, ScalarType.Float32),
        };
        return value.MoveToOuterDisposeScope();
    }

    private static Tensor Normal(long[] shape, double deviation, StepSeed seed)
    {
        using var generator = seed.NewGenerator();
        return randn(shape, ScalarType.Float32, generator: generator).mul_(deviation);
    }

    private static Tensor Uniform(long[] shape, double bound, StepSeed seed)
    {
        using var generator = seed.NewGenerator();
        return rand(shape, ScalarType.Float32, generator: generator).mul_(2 * bound).sub_(bound);
    }
}
