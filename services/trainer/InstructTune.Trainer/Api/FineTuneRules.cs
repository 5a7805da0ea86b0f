using InstructTune.Hosting;
using InstructTune.Modeling.Prompts;
using InstructTune.Trainer.FineTuning;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>What a request to create a job must satisfy; every violation is named at once.</summary>
internal static class FineTuneRules
{
    public const string ModelVersionPattern = "models/{model}/versions/{version}";
    public const string ModelPattern = "models/{model}";
    public const string DatasetPattern = "datasets/{dataset}";
    public const string DatasetVersionPattern = "datasets/{dataset}/versions/{version}";

    public const string CheckpointPattern = "fineTuneJobs/{fine_tune_job}/checkpoints/{checkpoint}";

    private const int MaxStages = 8;
    private const int MaxLabels = 64;

    public static void Check(CreateFineTuneJobRequest request)
    {
        var violations = new FieldViolations();
        var job = request.FineTuneJob ?? new FineTuneJob();
        violations.Check(
            request.RequestId.Length == 0 || Guid.TryParseExact(request.RequestId, "D", out _), "request_id", "must be a UUID, or empty");
        violations.Check(Enum.IsDefined(request.Priority), "priority", "must be HIGH, NORMAL or LOW");
        if (request.FineTuneJobId.Length > 0)
        {
            violations.CheckId(request.FineTuneJobId, "fine_tune_job_id");
        }

        violations.Check(
            job.OutputModel.Length == 0 || (ResourceName.TryParse(ModelPattern, job.OutputModel, out var model) && ResourceId.IsValid(model[0])),
            "fine_tune_job.output_model", $"must have the form '{ModelPattern}' with an ID of 3 to 63 characters a-z, 0-9 and '-', or be empty");
        violations.Check(
            job.Labels.Count <= MaxLabels && job.Labels.All(label => label.Key.Length is > 0 and <= 63 && label.Value.Length <= 256),
            "fine_tune_job.labels", $"must have at most {MaxLabels} entries, keys of 1 to 63 characters and values of at most 256");
        for (var i = 0; i < job.ModelExports.Count; i++)
        {
            ExportMapping.Check(job.ModelExports[i], violations, $"fine_tune_job.model_exports[{i}]");
        }

        Check(job.Spec ?? new V1.FineTuneSpec(), violations);
        violations.ThrowIfAny();
    }

    private static void Check(V1.FineTuneSpec spec, FieldViolations violations)
    {
        const string Field = "fine_tune_job.spec.";
        violations
            .Check(
                ResourceName.TryParse(ModelVersionPattern, spec.BaseModel, out _) || ResourceName.TryParse(CheckpointPattern, spec.BaseModel, out _),
                Field + "base_model", $"must have the form '{ModelVersionPattern}', whose version may be 'latest', or '{CheckpointPattern}'")
            .Check(spec.Stages.Count is >= 1 and <= MaxStages, Field + "stages", $"must have 1 to {MaxStages} entries; got {spec.Stages.Count}")
            .Check(
                spec.Stages.Select(stage => stage.StageId).Distinct(StringComparer.Ordinal).Count() == spec.Stages.Count,
                Field + "stages", "must have different stage_ids")
            .Check(
                spec.PromptFormat.Length == 0 || PromptFormat.Exists(spec.PromptFormat),
                Field + "prompt_format", $"must be one of {string.Join(", ", PromptFormat.Names)}, or empty for the base model's own")
            .Check(Enum.IsDefined(spec.PromptBoundary), Field + "prompt_boundary", "must be one that this server knows")
            .Check(spec.MaxAttempts >= 0, Field + "max_attempts", "must not be negative")
            .Check(spec.CheckpointPolicy is null or { EverySteps: >= 0 }, Field + "checkpoint_policy.every_steps", "must not be negative")
            .Check(spec.CheckpointPolicy is null or { KeepLast: >= 0 }, Field + "checkpoint_policy.keep_last", "must not be negative")
            .Check(
                spec.CheckpointPolicy?.Every is null || spec.CheckpointPolicy.Every.ToTimeSpan() > TimeSpan.Zero,
                Field + "checkpoint_policy.every", "must be positive, or absent for the default")
            .Check(spec.DivergencePolicy is null or { MaxSkippedSteps: >= 0 }, Field + "divergence_policy.max_skipped_steps", "must not be negative")
            .Check(spec.DivergencePolicy is null or { LossBound: >= 0 }, Field + "divergence_policy.loss_bound", "must not be negative")
            .Check(spec.DivergencePolicy is null or { PatienceSteps: >= 0 }, Field + "divergence_policy.patience_steps", "must not be negative");
        CheckBestMetric(spec, violations, Field + "checkpoint_policy.best_metric");
        MethodRules.Check(spec, violations, Field);
        for (var i = 0; i < spec.Stages.Count; i++)
        {
            StageRules.Check(spec.Stages[i], violations, $"{Field}stages[{i}].");
        }
    }

    public static bool IsDataset(string name) => ResourceName.TryParse(DatasetPattern, name, out _) || ResourceName.TryParse(DatasetVersionPattern, name, out _);

    private static void CheckBestMetric(V1.FineTuneSpec spec, FieldViolations violations, string field)
    {
        var metric = spec.CheckpointPolicy?.BestMetric ?? "";
        violations
            .Check(
                metric is "" or ValidationMetric.Loss || ValidationMetric.Generated.Contains(metric),
                field, $"must be {ValidationMetric.Loss}, {string.Join(" or ", ValidationMetric.Generated)}")
            .Check(
                !ValidationMetric.Generated.Contains(metric) || spec.Stages.All(stage => stage.ValidationDatasets.Count == 0 || stage.ValidationMetrics.Contains(metric)),
                field, $"is {metric}, which every stage with validation must then have among its validation_metrics");
    }
}
