using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;

namespace InstructTune.Benchmarks.Serving;

/// <summary>A size in a type of GGUF.</summary>
internal sealed record ServingModel(string Size, GgufTensorType Type)
{
    public const string SmolLm = "smollm2-135m";
    public const string Shape = "shape-1.1b";

    public static readonly ServingModel SmolLmQ41 = new(SmolLm, GgufTensorType.Q4_1);

    public string Name => $"{Size} {Type}";

    public static GgufTensorType[] TypesOf(string size) =>
        size == SmolLm ? [GgufTensorType.F32, GgufTensorType.Q8_0, GgufTensorType.Q4_0] : [GgufTensorType.Q8_0, GgufTensorType.Q4_0];
}

internal static class ModelCounts
{
    /// <summary>Weights of all matrices that a token is multiplied with, the output head included.</summary>
    public static long WeightsPerToken(this LlamaConfig config)
    {
        var (heads, keyValue) = ((long)config.QueryHeads * config.HeadWidth, (long)config.KeyValueHeads * config.HeadWidth);
        var layer = (config.ModelWidth * ((2 * heads) + (2 * keyValue))) + (3L * config.ModelWidth * config.FeedForwardWidth);
        return (config.LayerCount * layer) + ((long)config.VocabularySize * config.ModelWidth);
    }
}
