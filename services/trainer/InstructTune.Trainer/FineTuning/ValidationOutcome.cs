namespace InstructTune.Trainer.FineTuning;

/// <summary>What a validation pass means for a stage. Pure.</summary>
internal static class ValidationOutcome
{
    /// <param name="stage">Before the pass.</param>
    /// <param name="spec">The stage's settings.</param>
    /// <param name="bestMetric">What decides, on the first set.</param>
    /// <param name="values">What was measured.</param>
    /// <param name="jobStep">The step of the job that was validated.</param>
    public static StageProgress Count(StageProgress stage, StageSpec spec, string bestMetric, IReadOnlyDictionary<string, double> values, long jobStep)
    {
        var measured = stage with { ValidationLoss = values.TryGetValue(ValidationMetric.Loss, out var loss) ? loss : stage.ValidationLoss, ValidationValues = values };
        if (!values.TryGetValue(bestMetric, out var value))
        {
            return measured;
        }

        if (ValidationMetric.IsBetter(bestMetric, value, stage.BestValue))
        {
            measured = measured with { BestValue = value, BestValues = values, BestStep = jobStep };
        }

        return ValidationMetric.IsBetter(bestMetric, value, stage.PatienceValue, spec.EarlyStoppingMinImprovement)
            ? measured with { PatienceValue = value, PassesWithoutImprovement = 0 }
            : measured with { PassesWithoutImprovement = stage.PassesWithoutImprovement + 1 };
    }

    /// <summary>Whether the stage should end for want of a better value.</summary>
    public static bool IsOutOfPatience(StageProgress stage, StageSpec spec) =>
        spec.EarlyStoppingPatience > 0 && stage.PassesWithoutImprovement >= spec.EarlyStoppingPatience;
}
