using InstructTune.Jobs;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.Registry;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// Makes a model version of a job's result. Safe to repeat: the registry knows a job's version again, so that a crash between the end of a job and its
/// registration is healed by whoever looks next.
/// </summary>
internal sealed class ResultRegistrar(
    [FromKeyedServices(TrainerModule.Queue)] JobStore jobs, IModelRegistry registry, IArtifactStore artifacts)
{
    public async Task EnsureAsync(string jobId, CancellationToken ct)
    {
        if (await jobs.GetAsync(jobId, ct) is { State: JobState.Succeeded } job)
        {
            await EnsureAsync(job, ct);
        }
    }

    /// <summary>The version of a job that succeeded.</summary>
    public async Task<ModelVersionRecord> EnsureAsync(JobRecord job, CancellationToken ct)
    {
        var order = FineTuneOrder.Parse(job.Spec);
        var artifact = await artifacts.OpenAsync(job.Result, ct);
        var parts = order.Spec.BaseModel.Split('/');
        var baseModel = registry.Find(parts[1], parts[3])
            ?? throw new InvalidOperationException($"{order.Spec.BaseModel}, the base of job {job.Id}, is not in the registry");
        var isAdapter = order.Spec.Lora is not null;
        return await registry.RegisterAsync(
            new NewModelVersion
            {
                Model = order.OutputModel,
                Kind = isAdapter ? ModelKind.LoraAdapter : ModelKind.FullWeights,
                BaseModelVersion = isAdapter ? baseModel.Name : "",
                FineTuneJob = FineTuneOrder.JobName(job.Id),
                ManifestSha256 = job.Result,
                ParameterCount = isAdapter ? ParameterCount(artifact.Path) : baseModel.ParameterCount,
                ContextTokens = baseModel.ContextTokens,
                PromptFormat = order.Spec.PromptFormat,
                PromptFormatSha256 = PromptFormat.Get(order.Spec.PromptFormat).Sha256,
                Architecture = baseModel.Architecture,
                SizeBytes = artifact.Manifest.SizeBytes,
                Adapter = order.Spec.Lora is { } lora ? new AdapterFacts(lora.Rank, lora.Alpha, lora.TargetModules, lora.RankStabilized) : null,
                Lineage = Lineage(order),
            },
            ct);
    }

    private static long ParameterCount(string folder)
    {
        using var reader = SafetensorsReader.Open(Path.Combine(folder, "adapter_model.safetensors"));
        return reader.Entries.Sum(entry => entry.Shape.Aggregate(1L, (count, size) => count * size));
    }

    private static Dictionary<string, string> Lineage(FineTuneOrder order)
    {
        var lineage = new Dictionary<string, string>(StringComparer.Ordinal) { ["base"] = $"{order.Spec.BaseModel}@{order.BaseManifestSha256}" };
        foreach (var (stage, dataset) in order.Spec.Stages.Zip(order.Datasets))
        {
            lineage[$"stage.{stage.StageId}"] = $"{dataset.VersionName}@{dataset.ContentSha256}";
        }

        return lineage;
    }
}
