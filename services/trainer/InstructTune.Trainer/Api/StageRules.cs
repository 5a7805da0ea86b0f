using InstructTune.Hosting;
using InstructTune.Trainer.FineTuning;
using Stage = InstructTune.V1.FineTuneSpec.Types.Stage;

namespace InstructTune.Trainer.Api;

/// <summary>What a stage of a request must satisfy.</summary>
internal static class StageRules
{
    // A row needs a token to predict from and one to predict.
    private const int MinSequenceTokens = 2;

    public static void Check(Stage stage, FieldViolations violations, string field)
    {
        violations
            .Check(IsStageId(stage.StageId), field + "stage_id", "must have 1 to 63 characters a-z, 0-9 and '-'")
            .Check(
                stage.Mix is not null || FineTuneRules.IsDataset(stage.Dataset),
                field + "dataset", $"must have the form '{FineTuneRules.DatasetPattern}' or '{FineTuneRules.DatasetVersionPattern}', unless mix is set")
            .Check(stage.Mix is null || stage.Dataset.Length == 0, field + "mix", "must not be set beside dataset")
            .Check(stage.MaxExamples >= 0, field + "max_examples", "must not be negative")
            .Check(double.IsFinite(stage.Epochs) && stage.Epochs >= 0, field + "epochs", "must be positive, or 0 for the default")
            .Check(stage.MaxSteps >= 0, field + "max_steps", "must not be negative")
            .Check(stage.BatchSize >= 0, field + "batch_size", "must not be negative")
            .Check(
                stage.MicroBatchSize == 0 || (stage.MicroBatchSize > 0 && stage.BatchSize > 0 && stage.BatchSize % stage.MicroBatchSize == 0),
                field + "micro_batch_size", "must be 0 or divide batch_size, which must then be set")
            .Check(
                stage.MaxSequenceTokens is 0 or >= MinSequenceTokens,
                field + "max_sequence_tokens", $"must be at least {MinSequenceTokens}, or 0 for the default");
        violations
            .Check(Enum.IsDefined(stage.Packing), field + "packing", "must be one that this server knows")
            .Check(Enum.IsDefined(stage.Truncation), field + "truncation", "must be one that this server knows")
            .Check(Enum.IsDefined(stage.LossScope), field + "loss_scope", "must be one that this server knows")
            .Check(Enum.IsDefined(stage.Transition), field + "transition", "must be one that this server knows")
            .Check(
                !stage.GroupByLength || stage.Packing != V1.FineTuneSpec.Types.Packing.BlockDiagonal, field + "group_by_length", "must not be set with packing, which fills rows anyway");
        if (stage.Mix is not null)
        {
            MixMapping.Check(stage.Mix, violations, field + "mix");
        }

        CheckValidation(stage, violations, field);
        CheckOptimizer(stage, violations, field);
    }

    private static void CheckValidation(Stage stage, FieldViolations violations, string field)
    {
        const int MaxSets = 8;
        var isValidated = stage.ValidationDatasets.Count > 0;
        violations
            .Check(
                stage.ValidationDatasets.Count <= MaxSets && stage.ValidationDatasets.All(FineTuneRules.IsDataset),
                field + "validation_datasets", $"must be at most {MaxSets}, of the form '{FineTuneRules.DatasetPattern}' or '{FineTuneRules.DatasetVersionPattern}'")
            .Check(stage.ValidationEverySteps >= 0, field + "validation_every_steps", "must not be negative")
            .Check(
                stage.ValidationMetrics.All(ValidationMetric.Generated.Contains) && stage.ValidationMetrics.Distinct(StringComparer.Ordinal).Count() == stage.ValidationMetrics.Count,
                field + "validation_metrics", $"must be among {string.Join(", ", ValidationMetric.Generated)}, each once")
            .Check(stage.ValidationMetrics.Count == 0 || isValidated, field + "validation_metrics", "need validation_datasets")
            .Check(stage.ValidationGenerateExamples >= 0, field + "validation_generate_examples", "must not be negative")
            .Check(stage.EarlyStoppingPatience >= 0, field + "early_stopping_patience", "must not be negative")
            .Check(stage.EarlyStoppingPatience == 0 || isValidated, field + "early_stopping_patience", "needs validation_datasets")
            .Check(
                double.IsFinite(stage.EarlyStoppingMinImprovement) && stage.EarlyStoppingMinImprovement >= 0,
                field + "early_stopping_min_improvement", "must not be negative");
    }

    private static void CheckOptimizer(Stage stage, FieldViolations violations, string field)
    {
        violations
            .Check(
                double.IsFinite(stage.PeakLearningRate) && stage.PeakLearningRate >= 0,
                field + "peak_learning_rate", "must be positive, or 0 for the default")
            .Check(double.IsFinite(stage.NeftuneAlpha) && stage.NeftuneAlpha >= 0, field + "neftune_alpha", "must be positive, or 0 for none")
            .Check(!stage.HasWarmupSteps || stage.WarmupSteps >= 0, field + "warmup_steps", "must not be negative")
            .Check(!stage.HasWarmupRatio || stage.WarmupRatio is >= 0 and < 1, field + "warmup_ratio", "must be at least 0 and less than 1")
            .Check(stage.MinLearningRateRatio is >= 0 and <= 1, field + "min_learning_rate_ratio", "must lie in [0, 1]")
            .Check(
                stage.MinLearningRateRatio <= 0 || HasFloor(stage.Schedule), field + "min_learning_rate_ratio", "is for the schedules COSINE, LINEAR and WARMUP_STABLE_DECAY")
            .Check(stage.DecayRatio is >= 0 and <= 1, field + "decay_ratio", "must lie in (0, 1], or be 0 for the default")
            .Check(
                stage.DecayRatio <= 0 || stage.Schedule == V1.FineTuneSpec.Types.Schedule.WarmupStableDecay, field + "decay_ratio", "is for the schedule WARMUP_STABLE_DECAY")
            .Check(Enum.IsDefined(stage.Schedule), field + "schedule", "must be one that this server knows")
            .Check(double.IsFinite(stage.WeightDecay) && stage.WeightDecay >= 0, field + "weight_decay", "must not be negative")
            .Check(
                !stage.HasMaxGradientNorm || (double.IsFinite(stage.MaxGradientNorm) && stage.MaxGradientNorm >= 0),
                field + "max_gradient_norm", "must not be negative");
        if (stage.Optimizer is { } optimizer)
        {
            violations
                .Check(Enum.IsDefined(optimizer.Type), field + "optimizer.type", "must be one that this server knows")
                .Check(!optimizer.HasBeta1 || optimizer.Beta1 is >= 0 and < 1, field + "optimizer.beta1", "must be at least 0 and less than 1")
                .Check(!optimizer.HasBeta2 || optimizer.Beta2 is >= 0 and < 1, field + "optimizer.beta2", "must be at least 0 and less than 1")
                .Check(
                    !optimizer.HasEpsilon || (double.IsFinite(optimizer.Epsilon) && optimizer.Epsilon > 0),
                    field + "optimizer.epsilon", "must be positive");
        }
    }

    private static bool HasFloor(V1.FineTuneSpec.Types.Schedule schedule) => schedule is V1.FineTuneSpec.Types.Schedule.Unspecified
        or V1.FineTuneSpec.Types.Schedule.Cosine or V1.FineTuneSpec.Types.Schedule.Linear or V1.FineTuneSpec.Types.Schedule.WarmupStableDecay;

    private static bool IsStageId(string id) =>
        id.Length is > 0 and <= 63 && id.All(character => character is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
}
