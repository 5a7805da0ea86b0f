using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>Initial weights of a new model: products normal, biases 0, norms 1. Each tensor has its own stream, named after it.</summary>
internal static class RandomWeights
{
    public static void Fill(LlamaModel model, StepSeed seed)
    {
        using var frozen = no_grad();
        foreach (var (name, value) in model.Parameters)
        {
            if (name.EndsWith("norm.weight", StringComparison.Ordinal))
            {
                value.fill_(1);
            }
            else if (name.EndsWith(".bias", StringComparison.Ordinal))
            {
                value.zero_();
            }
            else
            {
                using var generator = seed.Derive(name).NewGenerator();
                using var drawn = randn(value.shape, ScalarType.Float32, generator: generator);
                drawn.mul_(model.Config.InitializerRange);
                value.copy_(drawn);
            }
        }
    }
}
