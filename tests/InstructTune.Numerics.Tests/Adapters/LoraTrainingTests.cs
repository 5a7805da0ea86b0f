using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Numerics.Tests.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

public sealed class LoraTrainingTests
{
    private static readonly StepSeed s_seed = StepSeed.Of(7, "stage", 0, "test");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_new_adapter_changes_no_logit(bool useDora)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);
        using var adapter = LoraAdapter.Create(model, new LoraConfig { TargetModules = LoraConfig.AllLinear, UseDora = useDora }, s_seed);
        var ids_BT = SmallConfigs.Ids(2, 7);
        Assert.True(ReferenceModel.Distance(model.Hidden(ids_BT, adapter), model.Hidden(ids_BT)) < 1e-6);
        Assert.Equal(useDora, adapter.HasEffect());
    }

    [Fact]
    public void Equal_seeds_give_equal_adapters_and_other_seeds_others()
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);
        using var first = LoraAdapter.Create(model, new LoraConfig(), s_seed);
        using var same = LoraAdapter.Create(model, new LoraConfig(), s_seed);
        using var other = LoraAdapter.Create(model, new LoraConfig(), s_seed.Derive("other"));
        Assert.All(first.Parameters.Zip(same.Parameters), p => Assert.Equal(0, ReferenceModel.Distance(p.First.Value, p.Second.Value)));
        Assert.NotEqual(0, ReferenceModel.Distance(first.Modules.Values.First().A_RI, other.Modules.Values.First().A_RI));
    }

    [Fact]
    public void Dropout_repeats_with_its_seed_and_changes_with_it()
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);
        using var adapter = LoraAdapter.Create(model, new LoraConfig { Dropout = 0.3 }, s_seed);
        foreach (var module in adapter.Modules.Values)
        {
            module.B_OR.fill_(0.1f);
        }

        var ids_BT = SmallConfigs.Ids(2, 7);
        var first = model.Hidden(ids_BT, adapter, s_seed);
        Assert.Equal(0, ReferenceModel.Distance(first, model.Hidden(ids_BT, adapter, s_seed)));
        Assert.NotEqual(0, ReferenceModel.Distance(first, model.Hidden(ids_BT, adapter, s_seed.Derive("next"))));
        Assert.NotEqual(0, ReferenceModel.Distance(first, model.Hidden(ids_BT, adapter)));
    }

    [Fact]
    public void A_target_that_matches_nothing_is_refused_by_name()
    {
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);
        var refusal = Assert.Throws<Modeling.Weights.ModelFormatException>(
            () => LoraAdapter.Create(model, new LoraConfig { TargetModules = ["q_proj", "z_proj"] }, s_seed));
        Assert.Contains("z_proj", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, BiasTraining.All)]
    [InlineData(true, BiasTraining.TargetsOnly)]
    public void An_adapter_of_head_and_biases_merges_into_what_it_computes_and_comes_back_from_its_file(bool useRegex, BiasTraining biases)
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped with { QueryKeyValueBias = true, FeedForwardBias = true }, s_seed);
        var config = new LoraConfig
        {
            Biases = biases,
            TargetModules = useRegex ? [] : ["lm_head", "v_proj", "down_proj"],
            TargetPattern = useRegex ? @"lm_head|.*\.(v_proj|down_proj)" : null,
        };
        using var adapter = LoraAdapter.Create(model, config, s_seed);
        foreach (var (_, value) in adapter.Parameters)
        {
            value.add_(randn(value.shape), 0.1);
        }

        Assert.Equal(biases == BiasTraining.All, adapter.Parameters.Any(p => p.Name.EndsWith("layers.1.mlp.up_proj.bias", StringComparison.Ordinal)));
        Assert.Contains(adapter.Parameters, p => p.Name == "base_model.model.lm_head.lora_A.weight");
        using var folder = new InstructTune.Testing.TemporaryFolder();
        PeftAdapter.Write(folder.Path, adapter);
        using var read = PeftAdapter.Read(folder.Path, model.Config);
        Assert.Equal(config.Biases, read.Config.Biases);
        var expected_RV = Logits(read);
        Assert.True(ReferenceModel.Distance(expected_RV, Logits(null)) > 0.1);
        LoraMerge.Into(model, read);
        Assert.True(ReferenceModel.Distance(Logits(null), expected_RV) < 1e-4);

        Tensor Logits(LoraAdapter? with) => model.Logits(model.Hidden(SmallConfigs.Ids(2, 7), with).view(-1, model.Config.ModelWidth), with);
    }

    [Fact]
    public void Every_trained_tensor_of_head_and_biases_gets_a_gradient_and_the_base_none()
    {
        using var scope = NewDisposeScope();
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped with { QueryKeyValueBias = true, FeedForwardBias = true }, s_seed);
        using var adapter = LoraAdapter.Create(model, new LoraConfig { Biases = BiasTraining.All, TargetModules = ["lm_head", "q_proj"] }, s_seed);
        adapter.SetTrainable(true);
        model.Logits(model.Hidden(SmallConfigs.Ids(2, 7), adapter).view(-1, model.Config.ModelWidth), adapter).logsumexp(1).mean().backward();
        Assert.All(adapter.Parameters, p => Assert.NotNull(p.Value.grad));
        Assert.All(model.Parameters, p => Assert.Null(p.Value.grad));
    }
}
