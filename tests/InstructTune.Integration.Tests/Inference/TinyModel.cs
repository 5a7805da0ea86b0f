using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using static TorchSharp.torch;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Random weights of a model small enough for tests, as a Hugging Face folder. Equal seeds give equal bytes.</summary>
internal static class TinyModel
{
    /// <summary>The embedding has more rows than the tokenizer has tokens, as real ones do.</summary>
    private const int VocabularySize = 512;

    public static LlamaConfig Config(int contextTokens, int width = 64, int layers = 2) => new()
    {
        VocabularySize = VocabularySize,
        ModelWidth = width,
        FeedForwardWidth = 2 * width,
        LayerCount = layers,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadWidth = width / 4,
        ContextTokens = contextTokens,
        BeginOfTextId = TinyTokenizer.BeginOfText,
        EndOfTextIds = [TinyTokenizer.EndOfText],
        // Large enough that the next token depends on the context and is seldom the same twice.
        InitializerRange = 0.3,
    };

    public static void Write(string folder, ulong seed, int contextTokens = 512, int width = 64, int layers = 2)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(Config(contextTokens, width, layers), new StepSeed(seed));
        AtomicFile.Write(Path.Combine(folder, "config.json"), model.Config.ToJson());
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), model.Parameters);
        TinyTokenizer.Write(folder);
    }
}
