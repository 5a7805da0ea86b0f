namespace InstructTune.Trainer.FineTuning;

/// <summary>Whether a stage can go on with the optimizer's moments of what was trained before. Pure.</summary>
internal static class CarriedMoments
{
    /// <summary>Why it cannot; null where it can, or does not ask to.</summary>
    /// <param name="spec">Complete.</param>
    /// <param name="index">The stage.</param>
    /// <param name="specBefore">The job that trained what the stage goes on with: this one, or the one whose checkpoint it starts from; null where there is none.</param>
    /// <param name="before">Its stage.</param>
    public static string? Problem(FineTuneSpec spec, int index, FineTuneSpec? specBefore, StageSpec? before)
    {
        var stage = spec.Stages[index];
        var method = before is null ? null : specBefore?.MethodOf(before);
        return !stage.CarriesOptimizerState ? null
            : before is null || method is null ? "needs a checkpoint as base_model: a model version has no optimizer state"
            : stage.Transition is not (null or StageTransition.Continue) || (stage.Transition is null && method.Lora is not null)
                ? "needs the transition CONTINUE: other transitions train other parameters"
            : (spec.MethodOf(stage).Lora is null) != (method.Lora is null) || spec.MethodOf(stage).Freeze != method.Freeze
                ? "needs the method of what was trained before"
            : specBefore!.Precision != spec.Precision ? "needs the precision of what was trained before"
            : specBefore.CheckpointKeepBest && before.ValidationDatasets.Count > 0
                ? "cannot be set where the stage before ends with its best weights (keep_best): the moments are those of its last"
            : before.Optimizer != stage.Optimizer ? $"needs the optimizer of what was trained before, {before.Optimizer}"
            : null;
    }
}
