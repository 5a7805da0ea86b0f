using InstructTune.Modeling.Llama;

namespace InstructTune.Benchmarks.Training;

/// <summary>Shapes of known models; the weights are random.</summary>
internal static class Shapes
{
    public static LlamaConfig Nano { get; } = Of(4096, 256, 688, 6, 8, 4);

    /// <summary>As llama2.c's stories110M.</summary>
    public static LlamaConfig Small110M { get; } = Of(32000, 768, 2048, 12, 12, 12);

    public static LlamaConfig SmolLm135M { get; } = Of(49152, 576, 1536, 30, 9, 3);

    /// <summary>As TinyLlama.</summary>
    public static LlamaConfig Tiny1B { get; } = Of(32000, 2048, 5632, 22, 32, 4) with { TiedEmbeddings = false };

    private static LlamaConfig Of(int vocabulary, int width, int feedForward, int layers, int heads, int keyValueHeads) => new()
    {
        VocabularySize = vocabulary,
        ModelWidth = width,
        FeedForwardWidth = feedForward,
        LayerCount = layers,
        QueryHeads = heads,
        KeyValueHeads = keyValueHeads,
        HeadWidth = width / heads,
        ContextTokens = 2048,
        TiedEmbeddings = true,
    };
}
