using InstructTune.Modeling.Llama;

namespace InstructTune.LoadFigures;

/// <summary>Shapes of well-known models.</summary>
internal static class Shapes
{
    private static readonly LlamaConfig s_small = new()
    {
        VocabularySize = 32_000,
        ModelWidth = 2048,
        FeedForwardWidth = 5632,
        LayerCount = 22,
        QueryHeads = 32,
        KeyValueHeads = 4,
        HeadWidth = 64,
        ContextTokens = 2048,
        StorageType = "bfloat16",
    };

    private static readonly LlamaConfig s_large = s_small with
    {
        ModelWidth = 4096,
        FeedForwardWidth = 11_008,
        LayerCount = 32,
        KeyValueHeads = 32,
        HeadWidth = 128,
        ContextTokens = 4096,
    };

    /// <summary>In float32 the larger takes 27 GB: it is loaded in the type of its files.</summary>
    public static IReadOnlyList<(string Name, LlamaConfig Config, bool IsSparse, BaseFormat[] Formats)> All { get; } =
    [
        ("1.1B (the shape of TinyLlama)", s_small, false, [BaseFormat.Fp32, BaseFormat.Bf16]),
        ("7B (the shape of LLaMA 2)", s_large, true, [BaseFormat.Bf16]),
    ];
}
