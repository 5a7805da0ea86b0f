using InstructTune.Jobs;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.Publishing;
using InstructTune.Trainer.Registry;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// Makes a model version of a job's result. Safe to repeat: the registry knows a job's version again, so that a crash between the end of a job and its
/// registration is healed by whoever looks next.
/// </summary>
internal sealed class ResultRegistrar(
    [FromKeyedServices(TrainerModule.Queue)] JobStore jobs, IModelRegistry registry, IArtifactStore artifacts, AttemptFolder attempts)
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
        var weights = Find(order.BaseVersion, job.Id);
        var lora = order.Spec.LoraOf(order.Spec.Stages[^1]);
        var isAdapter = lora is not null;
        var formatSha256 = await DigestAsync(order, ct);
        return await registry.RegisterAsync(
            new NewModelVersion
            {
                Model = order.OutputModel,
                Kind = isAdapter ? ModelKind.LoraAdapter : ModelKind.FullWeights,
                BaseModelVersion = isAdapter ? (await BaseOfAsync(job, order, weights, ct)).Name : "",
                FineTuneJob = FineTuneOrder.JobName(job.Id),
                ManifestSha256 = job.Result,
                ParameterCount = isAdapter ? ParameterCount(artifact.Path) : weights.ParameterCount,
                ContextTokens = weights.ContextTokens,
                PromptFormat = order.Spec.PromptFormat,
                PromptFormatSha256 = formatSha256,
                Architecture = weights.Architecture,
                SizeBytes = artifact.Manifest.SizeBytes,
                Adapter = isAdapter ? FactsOf(PeftAdapter.ReadConfig(artifact.Path)) : null,
                Lineage = Lineage.Of(order, formatSha256, attempts.ReadProgress(job.Id, job.Attempt)?.Numerics ?? new Dictionary<string, string>(StringComparer.Ordinal)),
            },
            ct);
    }

    /// <summary>What later jobs need to know of an adapter.</summary>
    public static AdapterFacts FactsOf(LoraConfig config) => new(config.Rank, config.Alpha, config.TargetModules, config.UseRsLora, config.UseDora);

    private ModelVersionRecord Find(string name, string jobId)
    {
        var parts = name.Split('/');
        return registry.Find(parts[1], parts[3]) ?? throw new InvalidOperationException($"{name}, the base of job {jobId}, is not in the registry");
    }

    // Weights that the job made on its way become a version of their own, the same one for all jobs that made them.
    private async Task<ModelVersionRecord> BaseOfAsync(JobRecord job, FineTuneOrder order, ModelVersionRecord weights, CancellationToken ct)
    {
        var foundation = attempts.ReadProgress(job.Id, job.Attempt)?.Foundation;
        if (foundation is null || (!order.HasUnnamedBase && foundation.ManifestSha256 == order.BaseManifestSha256))
        {
            return weights;
        }

        var model = MergedBase.ModelOf(foundation.ManifestSha256);
        return registry.Find(model, "1") ?? await registry.RegisterAsync(
            new NewModelVersion
            {
                Model = model,
                Kind = ModelKind.FullWeights,
                FineTuneJob = FineTuneOrder.JobName(job.Id),
                ManifestSha256 = foundation.ManifestSha256,
                ParameterCount = weights.ParameterCount,
                ContextTokens = weights.ContextTokens,
                PromptFormat = order.Spec.PromptFormat,
                PromptFormatSha256 = await DigestAsync(order, ct),
                Architecture = weights.Architecture,
                SizeBytes = (await artifacts.OpenAsync(foundation.ManifestSha256, ct)).Manifest.SizeBytes,
                Lineage = Lineage.Of(order, await DigestAsync(order, ct), attempts.ReadProgress(job.Id, job.Attempt)!.Numerics),
            },
            ct);
    }

    // The tokenizer of the base is the result's.
    private async Task<string> DigestAsync(FineTuneOrder order, CancellationToken ct)
    {
        var baseFiles = await artifacts.OpenAsync(order.BaseManifestSha256, ct);
        return PromptFormat.For(order.Spec.PromptFormat, Tokenizer.Load(baseFiles.Path), order.Spec.PromptBoundary).Sha256;
    }

    private static long ParameterCount(string folder)
    {
        using var reader = SafetensorsReader.Open(Path.Combine(folder, "adapter_model.safetensors"));
        return reader.Entries.Sum(entry => entry.Shape.Aggregate(1L, (count, size) => count * size));
    }
}
