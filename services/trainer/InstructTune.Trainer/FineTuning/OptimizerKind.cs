using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The rule that turns gradients into updates. The numbers are stored in jobs.</summary>
internal enum OptimizerKind
{
    AdamW = 0,
    Adafactor = 1,
    Lion = 2,
    Sgd = 3,
    AdamW8Bit = 4,
}

/// <summary>What the constants of a spec mean to each rule. A constant that a rule does not have stays as it was asked for.</summary>
internal static class OptimizerConstants
{
    private const double NoMean = 0;

    public static StageSpec Complete(StageSpec stage) => stage.Optimizer switch
    {
        OptimizerKind.Adafactor => stage with { Beta1 = stage.Beta1 ?? NoMean, Beta2 = stage.Beta2 ?? 0, Epsilon = stage.Epsilon ?? 1e-30 },
        OptimizerKind.Lion => stage with { Beta1 = stage.Beta1 ?? 0.9, Beta2 = stage.Beta2 ?? 0.99, Epsilon = stage.Epsilon ?? 0 },
        OptimizerKind.Sgd => stage with { Beta1 = stage.Beta1 ?? 0, Beta2 = stage.Beta2 ?? 0, Epsilon = stage.Epsilon ?? 0 },
        _ => stage with { Beta1 = stage.Beta1 ?? 0.9, Beta2 = stage.Beta2 ?? 0.999, Epsilon = stage.Epsilon ?? 1e-8 },
    };

    /// <param name="stage">Complete.</param>
    public static OptimizerSettings Settings(StageSpec stage)
    {
        var (beta1, beta2, epsilon) = (stage.Beta1!.Value, stage.Beta2!.Value, stage.Epsilon!.Value);
        return stage.Optimizer switch
        {
            OptimizerKind.Adafactor => new AdafactorSettings(
                epsilon, Beta1: beta1 is NoMean ? null : beta1, WeightDecay: stage.WeightDecay),
            OptimizerKind.Lion => new LionSettings(beta1, beta2, stage.WeightDecay),
            OptimizerKind.Sgd => new SgdSettings(beta1, WeightDecay: stage.WeightDecay),
            OptimizerKind.AdamW8Bit => new AdamW8BitSettings(beta1, beta2, epsilon, stage.WeightDecay),
            _ => new AdamWSettings(beta1, beta2, epsilon, stage.WeightDecay),
        };
    }
}
