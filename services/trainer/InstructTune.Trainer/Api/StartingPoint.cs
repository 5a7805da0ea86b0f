using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Modeling.Adapters;
using InstructTune.Storage;
using InstructTune.Trainer.Checkpoints;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Registry;

namespace InstructTune.Trainer.Api;

/// <summary>What a job starts from, pinned by digest.</summary>
/// <param name="Name">As the spec names it, with its version.</param>
/// <param name="Weights">Full weights, or the version that describes them.</param>
/// <param name="WeightsManifestSha256">Of the full weights.</param>
internal sealed record PinnedBase(string Name, ModelVersionRecord Weights, string WeightsManifestSha256)
{
    public AdapterFacts? Adapter { get; init; }

    public string AdapterManifestSha256 { get; init; } = "";

    public string PromptFormat { get; init; } = "";

    public IReadOnlyList<string> FrozenAdapters { get; init; } = [];

    public bool IsUnnamed { get; init; }

    /// <summary>The job of the checkpoint; null for a version.</summary>
    public FineTuning.FineTuneSpec? Spec { get; init; }

    /// <summary>The stage of the checkpoint.</summary>
    public StageSpec? Stage { get; init; }

    public string OptimizerManifestSha256 { get; init; } = "";
}

/// <summary>
/// Finds what `base_model` names: a version, or a checkpoint of a job. Of a checkpoint its files are published, so that the new job does not depend on the old
/// one: checkpoints come and go.
/// </summary>
internal sealed class StartingPoint(
    [FromKeyedServices(TrainerModule.Queue)] JobStore store, IModelRegistry registry, CheckpointStore checkpoints, IArtifactStore artifacts)
{
    private const string Field = "fine_tune_job.spec.base_model";

    public Task<PinnedBase> PinAsync(string name, bool withMoments, CancellationToken ct) =>
        ResourceName.TryParse(FineTuneRules.CheckpointPattern, name, out var parts)
            ? PinCheckpointAsync(name, parts[0], parts[1], withMoments, ct)
            : Task.FromResult(PinVersion(name));

    private PinnedBase PinVersion(string name)
    {
        var named = Find(name);
        if (named.Kind != ModelKind.LoraAdapter)
        {
            return new PinnedBase(named.Name, named, named.ManifestSha256) { PromptFormat = named.PromptFormat };
        }

        var facts = named.Adapter ?? throw new DomainException(
            ErrorReason.WrongKind, $"{named.Name} is an adapter that nothing is known of; import it again.", ("resource", named.Name));
        var weights = Find(named.BaseModelVersion);
        return new PinnedBase(named.Name, weights, weights.ManifestSha256)
        {
            Adapter = facts,
            AdapterManifestSha256 = named.ManifestSha256,
            PromptFormat = named.PromptFormat,
        };
    }

    private ModelVersionRecord Find(string name)
    {
        var parts = ResourceName.Parse(FineTuneRules.ModelVersionPattern, name, Field);
        return registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(name);
    }

    private async Task<PinnedBase> PinCheckpointAsync(string name, string jobId, string checkpointId, bool withMoments, CancellationToken ct)
    {
        var job = await store.GetAsync(jobId, ct) ?? throw DomainException.NotFound(name);
        var (folder, manifest) = Open(job, checkpointId, name);
        var order = FineTuneOrder.Parse(job.Spec);
        var foundation = CheckpointFiles.ReadProgress(folder).Foundation!;
        var stage = order.Spec.Stages.First(stage => stage.StageId == manifest.StageId);
        var pinned = new PinnedBase(name, Find(order.BaseVersion), foundation.ManifestSha256)
        {
            PromptFormat = order.Spec.PromptFormat,
            FrozenAdapters = foundation.Adapters,
            IsUnnamed = order.HasUnnamedBase || foundation.ManifestSha256 != order.BaseManifestSha256,
            Spec = order.Spec,
            Stage = stage,
            OptimizerManifestSha256 = withMoments ? await PublishAsync([Path.Combine(folder, CheckpointFiles.OptimizerFile)], ct) : "",
        };
        if (order.Spec.LoraOf(stage) is null)
        {
            return pinned with { WeightsManifestSha256 = await PublishWholeAsync(folder, foundation, ct), IsUnnamed = true };
        }

        return pinned with
        {
            Adapter = FactsOf(folder, name),
            AdapterManifestSha256 = await PublishAsync([.. PeftAdapter.FileNames.Select(file => Path.Combine(folder, file))], ct),
        };
    }

    private (string Folder, CheckpointManifest Manifest) Open(JobRecord job, string checkpointId, string name)
    {
        try
        {
            var reference = checkpoints.Chain(job.Id, CheckpointReference.Parse(job.Checkpoint)).Select(link => link.Reference).FirstOrDefault(link => link.Id == checkpointId);
            return reference is null ? throw DomainException.NotFound(name) : checkpoints.Open(job.Id, reference);
        }
        catch (CheckpointCorruptException)
        {
            throw DomainException.NotFound(name);
        }
    }

    private static AdapterFacts FactsOf(string folder, string name)
    {
        var config = PeftAdapter.ReadConfig(folder);
        return config.Start == LoraStart.Pissa
            ? throw new DomainException(
                ErrorReason.WrongKind,
                $"{name} is a PiSSA adapter in training, which fits only what its own job left of the base: continue from the job's result, which is an ordinary adapter.",
                ("resource", name))
            : ResultRegistrar.FactsOf(config);
    }

    // The weights of the checkpoint, and what a model has beside weights.
    private async Task<string> PublishWholeAsync(string folder, Foundation foundation, CancellationToken ct)
    {
        var under = (await artifacts.OpenAsync(foundation.ManifestSha256, ct)).Manifest.Files;
        var path = (await artifacts.OpenAsync(foundation.ManifestSha256, ct)).Path;
        var beside = under.Select(file => file.Path).Where(file => !file.Contains(".safetensors", StringComparison.Ordinal));
        return await PublishAsync([.. beside.Select(file => Path.Combine(path, file)), Path.Combine(folder, FullModel.WeightsFile)], ct);
    }

    private async Task<string> PublishAsync(IReadOnlyList<string> files, CancellationToken ct)
    {
        using var staging = artifacts.CreateStaging();
        foreach (var file in files)
        {
            File.Copy(file, Path.Combine(staging.Path, Path.GetFileName(file)));
        }

        return (await artifacts.PublishAsync(staging, ct)).Sha256;
    }
}
