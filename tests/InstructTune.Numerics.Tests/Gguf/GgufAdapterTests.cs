using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Gguf;

public sealed class GgufAdapterTests : IDisposable
{
    private static readonly LlamaConfig Model = new()
    {
        VocabularySize = 64, ModelWidth = 16, FeedForwardWidth = 24, LayerCount = 2, QueryHeads = 4, KeyValueHeads = 2, HeadWidth = 4, ContextTokens = 32, TiedEmbeddings = true,
        BeginOfTextId = 0, EndOfTextIds = [1],
    };

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_written_does_the_same_when_it_is_read(bool uneven)
    {
        using var scope = NewDisposeScope();
        using var adapter = Write(uneven);

        using var read = GgufAdapterReader.Read(_folder["a.gguf"], Model);

        Assert.Equal(adapter.Modules.Keys.Order(StringComparer.Ordinal), read.Modules.Keys.Order(StringComparer.Ordinal));
        Assert.All(adapter.Modules.Values, module =>
        {
            var other = read.Modules[module.Path];
            var (one, two) = (module.B_OR.mm(module.A_RI) * module.Scale, other.B_OR.mm(other.A_RI) * other.Scale);
            Assert.True(one.allclose(two, 1e-5, 1e-7), module.Path);
        });
    }

    [Fact]
    public void An_adapter_of_another_width_is_refused_by_tensor()
    {
        using var scope = NewDisposeScope();
        using var adapter = Write(uneven: false);
        var refusal = Assert.Throws<ModelFormatException>(() => GgufAdapterReader.Read(_folder["a.gguf"], Model with { FeedForwardWidth = 32 }));
        Assert.Contains("ffn_", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adapter_of_more_layers_than_the_model_has_is_refused()
    {
        using var scope = NewDisposeScope();
        using var adapter = Write(uneven: false);
        var refusal = Assert.Throws<ModelFormatException>(() => GgufAdapterReader.Read(_folder["a.gguf"], Model with { LayerCount = 1 }));
        Assert.Contains("nothing else may be there", refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private LoraAdapter Write(bool uneven)
    {
        using var model = LlamaModel.CreateRandom(Model, new StepSeed(1));
        var config = new LoraConfig { Rank = 4, Alpha = 6, TargetModules = LoraConfig.AllLinear };
        config = uneven ? config with { UseRsLora = true, RankPattern = [new("q_proj", 2)], AlphaPattern = [new("up_proj", 3)] } : config;
        var adapter = LoraAdapter.Create(model, config, new StepSeed(2));
        foreach (var module in adapter.Modules.Values)
        {
            using var generator = new StepSeed(3).Derive(module.Path).NewGenerator();
            module.B_OR.copy_(randn(module.B_OR.shape, generator: generator));
        }

        GgufAdapter.Write(_folder["a.gguf"], adapter, Model, GgufTensorType.F32, "a");
        return adapter;
    }
}
