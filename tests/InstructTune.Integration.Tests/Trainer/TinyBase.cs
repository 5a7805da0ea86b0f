using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.Registry;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>A base of two small layers over bytes, with random weights: it learns within seconds.</summary>
internal static class TinyBase
{
    public const int ContextTokens = 512;

    private static LlamaConfig Config { get; } = new()
    {
        VocabularySize = BytePairTrainer.SmallestVocabulary,
        ModelWidth = 32,
        FeedForwardWidth = 64,
        LayerCount = 2,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadWidth = 8,
        ContextTokens = ContextTokens,
        TiedEmbeddings = true,
        BeginOfTextId = 0,
        EndOfTextIds = [1],
    };

    /// <summary>Publishes it as version 1 of a model.</summary>
    public static async Task<ModelVersionRecord> RegisterAsync(IArtifactStore artifacts, IModelRegistry registry, string modelId)
    {
        using var staging = artifacts.CreateStaging();
        using var model = LlamaModel.CreateRandom(Config, new StepSeed(5));
        HuggingFaceFolder.Write(staging.Path, model);
        BytePairTrainer.Train([], BytePairTrainer.SmallestVocabulary).Write(staging.Path, ContextTokens);
        var manifest = await artifacts.PublishAsync(staging, CancellationToken.None);
        return await registry.RegisterAsync(
            new NewModelVersion
            {
                Model = modelId,
                Kind = ModelKind.FullWeights,
                ManifestSha256 = manifest.Sha256,
                ParameterCount = model.ParameterCount,
                ContextTokens = ContextTokens,
                PromptFormat = "alpaca",
                PromptFormatSha256 = "",
                Architecture = "LlamaForCausalLM",
                SizeBytes = manifest.SizeBytes,
            },
            CancellationToken.None);
    }
}
