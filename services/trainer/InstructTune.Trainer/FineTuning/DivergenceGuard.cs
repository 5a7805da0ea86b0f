using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Decides after each step whether a run has diverged. What it counts is part of the progress, so that a resumed job decides alike.</summary>
internal static class DivergenceGuard
{
    /// <summary>The stage with the step counted.</summary>
    /// <exception cref="JobFailedException">The policy does not bear another such step.</exception>
    public static StageProgress Count(StageProgress stage, StepResult result, DivergenceSpec policy)
    {
        var number = (stage.CompletedSteps + 1).ToString(CultureInfo.InvariantCulture);
        if (!result.IsFinite)
        {
            return stage.SkippedInRow < policy.MaxSkippedSteps
                ? stage with { SkippedInRow = stage.SkippedInRow + 1, AboveBoundInRow = 0 }
                : throw Diverged(stage, number, "The loss or a gradient was not finite");
        }

        var above = policy.LossBound > 0 && result.Loss > policy.LossBound ? stage.AboveBoundInRow + 1 : 0;
        return above < Math.Max(1, policy.PatienceSteps)
            ? stage with { SkippedInRow = 0, AboveBoundInRow = above }
            : throw Diverged(
                stage, number, $"The loss stayed above {policy.LossBound.ToString(CultureInfo.InvariantCulture)} for {above} steps, and was so last");
    }

    private static JobFailedException Diverged(StageProgress stage, string number, string what) => new(new JobFault(
        "TRAINING_DIVERGED",
        $"{what} in step {number} of stage {stage.StageId}. Lower peak_learning_rate or lengthen the warm-up.",
        new Dictionary<string, string>(StringComparer.Ordinal) { ["stage"] = stage.StageId, ["step"] = number }));
}
