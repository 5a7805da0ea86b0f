using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

/// <summary>Models small enough for many steps.</summary>
internal static class SmallConfigs
{
    public static LlamaConfig Grouped { get; } = new()
    {
        VocabularySize = 96,
        ModelWidth = 48,
        FeedForwardWidth = 80,
        LayerCount = 2,
        QueryHeads = 6,
        KeyValueHeads = 2,
        HeadWidth = 8,
        ContextTokens = 512,
        InitializerRange = 0.2,
    };

    public static LlamaConfig Ungrouped { get; } = Grouped with { QueryHeads = 6, KeyValueHeads = 6, TiedEmbeddings = true };

    public static LlamaConfig Windowed { get; } = Grouped with
    {
        Family = ModelFamily.Mistral,
        WindowTokens = 40,
        WindowedLayers = new HashSet<int> { 0, 1 },
    };

    /// <summary>A model with random weights in some form.</summary>
    public static LlamaModel Random(LlamaConfig config, StepSeed seed, BaseFormat format)
    {
        var model = LlamaModel.CreateRandom(config, seed);
        if (format == BaseFormat.Fp32)
        {
            return model;
        }

        var other = new LlamaModel(config, format);
        using var frozen = no_grad();
        foreach (var weight in other.Weights)
        {
            using var value = model.Read(weight.Name);
            weight.Write(value);
        }

        model.Dispose();
        return other;
    }

    /// <summary>A fixed pattern of ids.</summary>
    public static int[] Text(int length, int start = 1) => [.. Enumerable.Range(0, length).Select(i => (start + (i * 37) + (i * i * 11)) % 96)];

    public static Tensor Ids(int batch, int length) =>
        tensor([.. Enumerable.Range(0, batch).SelectMany(b => Text(length, b + 1)).Select(i => (long)i)], [batch, length]);
}
