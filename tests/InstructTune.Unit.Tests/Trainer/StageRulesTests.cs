using InstructTune.Hosting;
using InstructTune.Trainer.Api;
using Types = InstructTune.V1.FineTuneSpec.Types;

namespace InstructTune.Unit.Tests.Trainer;

/// <summary>What would be ignored, or taken for something else, is refused by its field.</summary>
public sealed class StageRulesTests
{
    [Theory]
    [InlineData(Types.Schedule.Constant)]
    [InlineData(Types.Schedule.InverseSquareRoot)]
    [InlineData(Types.Schedule.Polynomial)]
    public void A_floor_of_the_learning_rate_is_refused_where_the_schedule_has_none(Types.Schedule schedule) =>
        Assert.Equal(["min_learning_rate_ratio"], Violated(stage => (stage.Schedule, stage.MinLearningRateRatio) = (schedule, 0.1)));

    [Theory]
    [InlineData(Types.Schedule.Unspecified)]
    [InlineData(Types.Schedule.Cosine)]
    [InlineData(Types.Schedule.Linear)]
    [InlineData(Types.Schedule.WarmupStableDecay)]
    public void A_floor_of_the_learning_rate_is_taken_by_the_schedules_that_have_one(Types.Schedule schedule) =>
        Assert.Empty(Violated(stage => (stage.Schedule, stage.MinLearningRateRatio) = (schedule, 0.1)));

    [Fact]
    public void A_share_of_decay_is_for_the_schedule_that_decays_at_its_end_only()
    {
        Assert.Equal(["decay_ratio"], Violated(stage => (stage.Schedule, stage.DecayRatio) = (Types.Schedule.Cosine, 0.2)));
        Assert.Empty(Violated(stage => (stage.Schedule, stage.DecayRatio) = (Types.Schedule.WarmupStableDecay, 0.2)));
    }

    [Fact]
    public void Choices_that_this_server_does_not_know_are_refused_in_place_of_the_default()
    {
        Assert.Equal(["truncation"], Violated(stage => stage.Truncation = (V1.Truncation)99));
        Assert.Equal(["loss_scope"], Violated(stage => stage.LossScope = (V1.LossScope)99));
        Assert.Equal(["transition"], Violated(stage => stage.Transition = (Types.StageTransition)99));
        Assert.Equal(["packing"], Violated(stage => stage.Packing = (Types.Packing)99));
    }

    private static string[] Violated(Action<Types.Stage> change)
    {
        var stage = new Types.Stage { StageId = "one", Dataset = "datasets/d" };
        change(stage);
        var violations = new FieldViolations();
        StageRules.Check(stage, violations, "");
        return Record.Exception(violations.ThrowIfAny) is DomainException refusal ? [.. refusal.Violations.Select(violation => violation.Field)] : [];
    }
}
