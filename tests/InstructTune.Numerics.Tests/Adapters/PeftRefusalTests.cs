using InstructTune.Kernels;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Broken adapters and other spellings of sound ones.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class PeftRefusalTests
{
    // Sentences of the fixtures that describe a message instead of quoting from it.
    private static readonly string[] s_descriptions = ["position of the syntax error", "refused; only safetensors is read"];

    public static TheoryData<string> Broken => [.. Fixtures.Names("peft", "bad").DefaultIfEmpty("none")];

    public static TheoryData<string> Spellings => [.. Fixtures.Names("peft", "config_variants").DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_broken_adapter_is_refused_by_name(string name)
    {
        var root = Fixtures.Folder("peft");
        using var model = ModelFolder.Load(Path.Combine(root, "base"));
        var demanded = Fixtures.Json(Path.Combine(root, "bad", "cases.json")).EnumerateArray()
            .Single(c => c.GetProperty("folder").GetString() == "bad/" + name)
            .GetProperty("error_must_name").EnumerateArray().Select(e => e.GetString()!).ToArray();
        var warnings = new List<string>();
        using var kernels = KernelModelFolder.Load(Path.Combine(root, "base"), WeightFormat.Float32);
        if (name is "zero_effect" or "missing_target_modules")
        {
            using var adapter = PeftAdapter.Read(Path.Combine(root, "bad", name), model.Config, warnings.Add);
            Assert.Equal(name == "zero_effect", warnings.Any(w => w.Contains("changes no logit", StringComparison.Ordinal)));
            var packedWarnings = new List<string>();
            using var packed = KernelAdapterFolder.Load(Path.Combine(root, "bad", name), kernels, packedWarnings.Add);
            Assert.Equal(warnings, packedWarnings);
            return;
        }

        foreach (var load in new Action[]
        {
            () => PeftAdapter.Read(Path.Combine(root, "bad", name), model.Config), () => KernelAdapterFolder.Load(Path.Combine(root, "bad", name), kernels),
        })
        {
            var refusal = Assert.Throws<ModelFormatException>(load);
            Assert.All(demanded.Except(s_descriptions), part => Assert.Contains(part, refusal.Message, StringComparison.OrdinalIgnoreCase));
        }
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public void Every_spelling_of_the_configuration_gives_the_same_adapter(string name)
    {
        var root = Fixtures.Folder("peft");
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Load(Path.Combine(root, "base"));
        var folder = Directory.CreateTempSubdirectory("peft-").FullName;
        try
        {
            File.Copy(Path.Combine(root, "config_variants", name, "adapter_config.json"), Path.Combine(folder, "adapter_config.json"));
            File.Copy(Path.Combine(root, "adapters", "lora_r8_qv", "adapter_model.safetensors"), Path.Combine(folder, "adapter_model.safetensors"));
            using var adapter = PeftAdapter.Read(folder, model.Config);
            var own = Path.Combine(root, "config_variants", name, "expected.safetensors");
            using var expected = SafetensorsReader.Open(File.Exists(own) ? own : Path.Combine(root, "expected", "lora_r8_qv.safetensors"));
            var logits_RV = model.Logits(model.Hidden(ReferenceAdapter.Ids, adapter).view(-1, model.Config.ModelWidth));
            Parity.Within("peft spellings", name, logits_RV, expected.Read("logits").view(logits_RV.shape), 1e-5);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("\"fan_in_fan_out\": true", "fan_in_fan_out")]
    [InlineData("\"bias\": \"some\"", "bias")]
    [InlineData("\"layer_replication\": [[0, 1]]", "layer_replication")]
    [InlineData("\"task_type\": \"SEQ_CLS\"", "task_type")]
    [InlineData("\"lora_dropout\": 1.0", "lora_dropout")]
    [InlineData("\"layers_pattern\": \"blocks\"", "layers_pattern")]
    [InlineData("\"init_lora_weights\": \"olora\"", "init_lora_weights")]
    [InlineData("\"rank_pattern\": {\"q_proj\": 0}", "rank_pattern.q_proj")]
    public void What_is_not_supported_is_refused_by_field(string field, string item)
    {
        var json = System.Text.Encoding.UTF8.GetBytes($"{{\"peft_type\": \"LORA\", {field}}}");
        Assert.Equal(item, Assert.Throws<ModelFormatException>(() => LoraConfigReader.Read(json, static _ => { })).Item);
    }
}
