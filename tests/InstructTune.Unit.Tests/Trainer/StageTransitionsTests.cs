using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Registry;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class StageTransitionsTests
{
    private static readonly LoraSpec Lora = new() { Rank = 4, Alpha = 8, TargetModules = ["q_proj", "v_proj"] };
    private static readonly LoraSpec OtherLora = Lora with { Rank = 2 };
    private static readonly AdapterFacts Adapter = new(4, 8, ["v_proj", "q_proj"], RankStabilized: false);

    [Fact]
    public void Equal_methods_are_trained_on_and_others_merged_by_default()
    {
        Assert.Equal([null, StageTransition.Continue], Defaults(Spec((LoraSpec?)null, null)));
        Assert.Equal([null, StageTransition.Continue], Defaults(Spec(Lora, Lora with { TargetModules = [.. Lora.TargetModules] })));
        Assert.Equal([null, StageTransition.MergeThenNew], Defaults(Spec(Lora, OtherLora)));
        Assert.Equal([null, StageTransition.MergeThenNew], Defaults(Spec(Lora, null)));
        Assert.Equal([null, StageTransition.MergeThenNew], Defaults(Spec(null, Lora)));
        Assert.Equal([StageTransition.Continue, StageTransition.MergeThenNew], Defaults(Spec(Lora, OtherLora), Adapter));
        Assert.Equal([StageTransition.MergeThenNew, StageTransition.Continue], Defaults(Spec(OtherLora, OtherLora), Adapter));
    }

    [Theory]
    [InlineData("Continue", "other parameters")]
    [InlineData("Stack", null)]
    [InlineData("MergeThenNew", null)]
    public void Another_adapter_may_be_stacked_or_follow_a_merge(string transition, string? problem) =>
        AssertProblem(problem, With(Spec(Lora, OtherLora), 1, Enum.Parse<StageTransition>(transition)), 1);

    [Fact]
    public void Full_weights_can_only_be_trained_on()
    {
        AssertProblem(null, With(Spec((LoraSpec?)null, null), 1, StageTransition.Continue), 1);
        AssertProblem("between stages that train the same weights", With(Spec((LoraSpec?)null, null), 1, StageTransition.MergeThenNew), 1);
        AssertProblem("only between adapters", With(Spec(null, Lora), 1, StageTransition.Stack), 1);
    }

    [Fact]
    public void Adapters_with_magnitudes_cannot_be_stacked() =>
        AssertProblem("weight_decomposed", With(Spec(Lora, OtherLora with { WeightDecomposed = true }), 1, StageTransition.Stack), 1);

    [Fact]
    public void Four_bit_weights_can_be_merged_in_float32_but_take_no_frozen_adapter_in()
    {
        var quantized = Lora with { QuantizesBase = true };
        Assert.Equal([null, StageTransition.Continue], Defaults(Spec(quantized, quantized)));
        AssertProblem(null, With(Spec(quantized, quantized), 1, StageTransition.Continue), 1);
        AssertProblem(null, With(Spec(quantized, quantized), 1, StageTransition.MergeThenNew), 1);
        AssertProblem(null, With(Spec(quantized, null), 1, StageTransition.MergeThenNew), 1);
        AssertProblem("cannot be STACK with qlora", With(Spec(Lora, quantized), 1, StageTransition.Stack), 1);
        AssertProblem("cannot be STACK with qlora", With(Spec(quantized, Lora), 1, StageTransition.Stack), 1);
    }

    [Fact]
    public void Other_frozen_weights_follow_a_merge()
    {
        var last = new FreezeSpec(1, []);
        Assert.Equal([null, StageTransition.Continue], Defaults(Spec(last, new FreezeSpec(1, []))));
        Assert.Equal([null, StageTransition.MergeThenNew], Defaults(Spec(null, last)));
        Assert.Equal([null, StageTransition.MergeThenNew], Defaults(Spec(last, new FreezeSpec(1, ["lm_head"]))));
        AssertProblem(null, With(Spec(null, last), 1, StageTransition.MergeThenNew), 1);
        AssertProblem("other parameters", With(Spec(null, last), 1, StageTransition.Continue), 1);
    }

    [Fact]
    public void A_pissa_adapter_begins_anew()
    {
        var pissa = Lora with { Start = LoraStartKind.Pissa };
        AssertProblem("PISSA", With(Spec(pissa, pissa), 0, StageTransition.Continue), 0, Adapter);
        Assert.Equal([StageTransition.MergeThenNew, StageTransition.Continue], Defaults(Spec(pissa, pissa), Adapter));
    }

    [Fact]
    public void Moments_are_carried_to_the_same_parameters_under_the_same_optimizer_only()
    {
        Assert.Null(Carried(Spec(Lora, Lora)));
        Assert.Contains("CONTINUE", Carried(Spec(Lora, OtherLora)), StringComparison.Ordinal);
        Assert.Contains("AdamW", Carried(Spec(Lora, Lora), stage => stage with { Optimizer = OptimizerKind.Lion }), StringComparison.Ordinal);
        Assert.Null(Carried(Spec((LoraSpec?)null, null)));
        Assert.Contains("CONTINUE", Carried(Spec((LoraSpec?)null, Lora)), StringComparison.Ordinal);
        var best = Spec(Lora, Lora);
        best = best with { CheckpointKeepBest = true, Stages = [best.Stages[0] with { ValidationDatasets = ["datasets/v/versions/1"] }, best.Stages[1]] };
        Assert.Contains("keep_best", Carried(best), StringComparison.Ordinal);
        var first = best with { Stages = [best.Stages[0] with { CarriesOptimizerState = true }] };
        Assert.Contains("needs a checkpoint as base_model", CarriedMoments.Problem(first, 0, null, null), StringComparison.Ordinal);
        var full = new FineTuneSpec { BaseModel = "b", Stages = [Stage("one", (LoraSpec?)null) with { CarriesOptimizerState = true }], Precision = TrainingPrecision.Bfloat16 };
        Assert.Contains("precision", CarriedMoments.Problem(full, 0, full with { Precision = TrainingPrecision.Float32 }, full.Stages[0]), StringComparison.Ordinal);
    }

    private static string? Carried(FineTuneSpec spec, Func<StageSpec, StageSpec>? change = null)
    {
        var stage = (change ?? (same => same))(spec.Stages[1] with { CarriesOptimizerState = true });
        var whole = StageTransitions.Complete(spec with { Stages = [spec.Stages[0], stage] }, null);
        return CarriedMoments.Problem(whole, 1, whole, whole.Stages[0]);
    }

    [Fact]
    public void The_first_stage_has_a_transition_only_on_an_adapter()
    {
        AssertProblem("unless base_model is an adapter", With(Spec(Lora, Lora), 0, StageTransition.Continue), 0);
        AssertProblem(null, With(Spec(Lora, Lora), 0, StageTransition.Continue), 0, Adapter);
        AssertProblem("other parameters", With(Spec(OtherLora, Lora), 0, StageTransition.Continue), 0, Adapter);
        AssertProblem(null, With(Spec(OtherLora, Lora), 0, StageTransition.Stack), 0, Adapter);
    }

    private static void AssertProblem(string? problem, FineTuneSpec spec, int index, AdapterFacts? adapter = null)
    {
        var found = StageTransitions.Problem(spec, index, adapter);
        if (problem is null)
        {
            Assert.Null(found);
        }
        else
        {
            Assert.Contains(problem, found, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<StageTransition?> Defaults(FineTuneSpec spec, AdapterFacts? adapter = null) =>
        StageTransitions.Complete(spec, adapter).Stages.Select(stage => stage.Transition);

    private static FineTuneSpec With(FineTuneSpec spec, int index, StageTransition transition) =>
        spec with { Stages = [.. spec.Stages.Select((stage, i) => i == index ? stage with { Transition = transition } : stage)] };

    private static FineTuneSpec Spec(LoraSpec? first, LoraSpec? second) => new()
    {
        BaseModel = "models/b/versions/1",
        Stages = [Stage("one", first), Stage("two", second)],
    };

    private static FineTuneSpec Spec(FreezeSpec? first, FreezeSpec? second) => new()
    {
        BaseModel = "models/b/versions/1",
        Stages = [Stage("one", first), Stage("two", second)],
    };

    private static StageSpec Stage(string id, FreezeSpec? freeze) => new() { StageId = id, Dataset = "d", Method = new MethodSpec(null, freeze) };

    private static StageSpec Stage(string id, LoraSpec? lora) => new() { StageId = id, Dataset = "d", Method = new MethodSpec(lora) };
}
