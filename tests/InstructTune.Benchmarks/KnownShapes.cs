using InstructTune.Modeling.Llama;

namespace InstructTune.Benchmarks;

/// <summary>Shapes of known models, for every program that measures; the weights are random.</summary>
internal static class KnownShapes
{
    public static LlamaConfig Nano { get; } = Of(4096, 256, 688, 6, 8, 4);

    /// <summary>As llama2.c's stories110M.</summary>
    public static LlamaConfig Small110M { get; } = Of(32_000, 768, 2048, 12, 12, 12);

    public static LlamaConfig SmolLm135M { get; } = Of(49_152, 576, 1536, 30, 9, 3);

    /// <summary>1.1B.</summary>
    public static LlamaConfig TinyLlama { get; } = Of(32_000, 2048, 5632, 22, 32, 4) with { TiedEmbeddings = false, StorageType = "bfloat16" };

    public static LlamaConfig Llama2Of7B { get; } =
        Of(32_000, 4096, 11_008, 32, 32, 32) with { TiedEmbeddings = false, StorageType = "bfloat16", ContextTokens = 4096 };

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
