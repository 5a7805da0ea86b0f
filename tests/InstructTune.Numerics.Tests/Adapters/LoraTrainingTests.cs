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

    [Fact]
    public void Many_training_steps_keep_no_tensor()
    {
        using var model = LlamaModel.CreateRandom(SmallConfigs.Grouped, s_seed);
        using var adapter = LoraAdapter.Create(model, new LoraConfig { Dropout = 0.1, TargetModules = LoraConfig.AllLinear }, s_seed);
        adapter.SetTrainable(true);
        Step(0);
        var budget = TensorBudget.Start();
        for (var step = 1; step < 50; step++)
        {
            Step(step);
        }

        budget.Require(0);

        void Step(int step)
        {
            using var scope = NewDisposeScope();
            var hidden_BTD = model.Hidden(SmallConfigs.Ids(2, 9), adapter, s_seed.Derive("step", step));
            var loss = model.Logits(hidden_BTD.view(-1, model.Config.ModelWidth), adapter).logsumexp(1).mean();
            loss.backward();
            using var frozen = no_grad();
            foreach (var (_, value) in adapter.Parameters)
            {
                using var gradient = value.grad!;
                value.sub_(gradient.mul(0.01));
                value.grad = null;
            }
        }
    }
}
