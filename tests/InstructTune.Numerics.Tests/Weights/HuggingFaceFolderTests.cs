using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Weights;

public sealed class HuggingFaceFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("model-").FullName;

    public static TheoryData<string> Models => [.. Fixtures.Names("models").Where(n => n != "bad").DefaultIfEmpty("none")];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Models))]
    public void A_written_model_loads_as_the_same_model(string name)
    {
        var original = Fixtures.Folder("models", name);
        using var model = ModelFolder.Load(original);
        var copy = Path.Combine(_folder, "copy");
        HuggingFaceFolder.Write(copy, model, original);
        using var again = ModelFolder.Load(copy, warning => Assert.Fail(warning));
        Assert.Equal(model.Config with { StorageType = "", WindowedLayers = null!, EndOfTextIds = null! }, again.Config with { StorageType = "", WindowedLayers = null!, EndOfTextIds = null! });
        Assert.Equal("float32", again.Config.StorageType);
        Assert.Equal(File.ReadAllBytes(Path.Combine(original, "generation_config.json")), File.ReadAllBytes(Path.Combine(copy, "generation_config.json")));
        Assert.All(model.Parameters.Zip(again.Parameters), pair =>
        {
            Assert.Equal(pair.First.Name, pair.Second.Name);
            Assert.Equal(0, ReferenceModel.Distance(pair.First.Value, pair.Second.Value));
        });
    }

    [Fact]
    public void A_model_over_the_limit_is_sharded_and_loads_again()
    {
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, StepSeed.Of(1, "", 0, "weights"));
        HuggingFaceFolder.Write(Path.Combine(_folder, "sharded"), model, shardSizeBytes: 40_000);
        Assert.True(Directory.GetFiles(Path.Combine(_folder, "sharded"), "model-*.safetensors").Length > 2);
        using var again = ModelFolder.Load(Path.Combine(_folder, "sharded"), warning => Assert.Fail(warning));
        Assert.All(model.Parameters.Zip(again.Parameters), p => Assert.Equal(0, ReferenceModel.Distance(p.First.Value, p.Second.Value)));
    }

    [Fact]
    public void Equal_seeds_give_equal_files_and_bfloat16_is_rounded_once()
    {
        var (first, second) = (Path.Combine(_folder, "first"), Path.Combine(_folder, "second"));
        foreach (var path in new[] { first, second })
        {
            using var model = LlamaModel.CreateRandom(SmallConfigs.Ungrouped, StepSeed.Of(1, "", 0, "weights"));
            HuggingFaceFolder.Write(path, model, storageType: "bfloat16");
        }

        Assert.Equal(File.ReadAllBytes(Path.Combine(first, "model.safetensors")), File.ReadAllBytes(Path.Combine(second, "model.safetensors")));
        using var again = ModelFolder.Load(first);
        Assert.Equal("bfloat16", again.Config.StorageType);
        using var full = LlamaModel.CreateRandom(SmallConfigs.Ungrouped, StepSeed.Of(1, "", 0, "weights"));
        Assert.All(full.Parameters.Zip(again.Parameters), pair =>
        {
            using var scope = NewDisposeScope();
            Assert.True(pair.First.Value.to(ScalarType.BFloat16).to(ScalarType.Float32).eq(pair.Second.Value).all().item<bool>());
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_configuration_written_anew_reads_as_it_was(int kind)
    {
        LlamaConfig[] configs =
        [
            SmallConfigs.Grouped with { EndOfTextIds = [1, 2], BeginOfTextId = 0 },
            SmallConfigs.Windowed with { Rotary = new RotaryScaling { Kind = RotaryKind.Yarn, Factor = 4, OriginalContextTokens = 128, Truncate = false } },
            SmallConfigs.Grouped with { Rotary = new RotaryScaling { Kind = RotaryKind.Llama3, Factor = 8, OriginalContextTokens = 64, LowFrequencyFactor = 1, HighFrequencyFactor = 4 } },
        ];
        var again = LlamaConfig.Parse(configs[kind].ToJson());
        Assert.Equal(configs[kind].ToJson(), again.ToJson());
        Assert.Equal(configs[kind].Rotary with { OriginalContextTokens = again.Rotary.OriginalContextTokens }, again.Rotary);
        Assert.Equal(configs[kind].WindowedLayers.Order(), again.WindowedLayers.Order());
    }
}
