using InstructTune.Jobs;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class DivergenceGuardTests
{
    private static readonly StageProgress Start = new() { StageId = "only", CompletedSteps = 4 };

    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(1, double.PositiveInfinity)]
    public void A_loss_or_gradient_that_is_not_finite_fails_in_that_step(double lossSum, double norm)
    {
        var fault = Assert.Throws<JobFailedException>(() => DivergenceGuard.Count(Start, new StepResult(lossSum, 1, 1, norm), new DivergenceSpec())).Fault;
        Assert.Equal(("TRAINING_DIVERGED", "only", "5"), (fault.Reason, fault.Metadata["stage"], fault.Metadata["step"]));
    }

    [Fact]
    public void As_many_steps_in_a_row_are_passed_over_as_the_policy_says()
    {
        var policy = new DivergenceSpec(MaxSkippedSteps: 2);
        var stage = Count(Count(Start, double.NaN, policy), double.NaN, policy);
        Assert.Throws<JobFailedException>(() => Count(stage, double.NaN, policy));
        Assert.Equal(1, Count(Count(stage, 1, policy), double.NaN, policy).SkippedInRow);
    }

    [Fact]
    public void A_loss_above_the_bound_is_borne_for_the_patience()
    {
        var policy = new DivergenceSpec(LossBound: 10, PatienceSteps: 3);
        var stage = Count(Count(Start, 11, policy), 11, policy);
        Assert.Throws<JobFailedException>(() => Count(stage, 11, policy));
        Assert.Equal(1, Count(Count(stage, 10, policy), 11, policy).AboveBoundInRow);
    }

    private static StageProgress Count(StageProgress stage, double loss, DivergenceSpec policy) =>
        DivergenceGuard.Count(stage, new StepResult(loss, 1, 1, 1), policy);
}
