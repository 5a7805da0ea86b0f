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

    public static LlamaConfig Config(int contextTokens) => new()
    {
        VocabularySize = VocabularySize,
        ModelWidth = 64,
        FeedForwardWidth = 128,
        LayerCount = 2,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadWidth = 16,
        ContextTokens = contextTokens,
        BeginOfTextId = TinyTokenizer.BeginOfText,
        EndOfTextIds = [TinyTokenizer.EndOfText],
        // Large enough that the next token depends on the context and is seldom the same twice.
        InitializerRange = 0.3,
    };

    public static void Write(string folder, ulong seed, int contextTokens = 512)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(Config(contextTokens), new StepSeed(seed));
        AtomicFile.Write(Path.Combine(folder, "config.json"), model.Config.ToJson());
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), model.Parameters);
        TinyTokenizer.Write(folder);
    }
}
