using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;

namespace InstructTune.Integration.Tests.ModelRegistry;

/// <summary>Model folders made for a test: a model of a few thousand weights, wide enough for blocks of 32, and an adapter for it.</summary>
internal static class TinyModel
{
    private static readonly LlamaConfig _config = new()
    {
        VocabularySize = 272,
        ModelWidth = 32,
        FeedForwardWidth = 64,
        LayerCount = 2,
        QueryHeads = 2,
        KeyValueHeads = 1,
        HeadWidth = 16,
        ContextTokens = 64,
        TiedEmbeddings = true,
    };

    public static long ParameterCount
    {
        get
        {
            using var model = Create();
            return model.ParameterCount;
        }
    }

    public static Dictionary<string, byte[]> Files()
    {
        using var model = Create();
        return Read(folder =>
        {
            HuggingFaceFolder.Write(folder, model);
            BytePairTrainer.Train(Enumerable.Repeat("the cat sat on the mat", 4), _config.VocabularySize).Write(folder, _config.ContextTokens);
        });
    }

    public static Dictionary<string, byte[]> AdapterFiles(int modelWidth = 32)
    {
        using var model = LlamaModel.CreateRandom(_config with { ModelWidth = modelWidth }, StepSeed.Of(1, "", 0, "test"));
        using var adapter = LoraAdapter.Create(model, new LoraConfig { Rank = 4, Alpha = 8 }, StepSeed.Of(2, "", 0, "test"));
        return Read(folder => PeftAdapter.Write(folder, adapter));
    }

    /// <summary>An adapter that changes the model, by a rule of its own for each seed.</summary>
    public static Dictionary<string, byte[]> TrainedAdapterFiles(ulong seed, int rank = 4, bool startsAsPissa = false)
    {
        using var model = Create();
        var config = new LoraConfig { Rank = rank, Alpha = 8, Start = startsAsPissa ? LoraStart.Pissa : LoraStart.Uniform };
        using var adapter = LoraAdapter.Create(model, config, StepSeed.Of(seed, "", 0, "test"));
        foreach (var (_, value) in adapter.Parameters)
        {
            using var generator = StepSeed.Of(seed, "", 1, "test").NewGenerator();
            using var noise = TorchSharp.torch.randn(value.shape, TorchSharp.torch.ScalarType.Float32, generator: generator);
            value.add_(noise, 0.1);
        }

        return Read(folder => PeftAdapter.Write(folder, adapter));
    }

    private static LlamaModel Create() => LlamaModel.CreateRandom(_config, StepSeed.Of(1, "", 0, "test"));

    private static Dictionary<string, byte[]> Read(Action<string> write)
    {
        using var folder = new Testing.TemporaryFolder();
        write(folder.Path);
        return Directory.EnumerateFiles(folder.Path).ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes, StringComparer.Ordinal);
    }
}
