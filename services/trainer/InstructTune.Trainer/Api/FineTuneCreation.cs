using System.Diagnostics;
using System.Security.Cryptography;
using Google.Protobuf;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Peers;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>From a valid request to a queued job: pins the base and the datasets, writes in every default.</summary>
internal sealed class FineTuneCreation(
    [FromKeyedServices(TrainerModule.Queue)] JobStore store, IModelRegistry registry, DatasetCatalog catalog)
{
    /// <summary>The ID of the job, which is an earlier one when the request was sent before.</summary>
    public async Task<string> CreateAsync(CreateFineTuneJobRequest request, CancellationToken ct)
    {
        var id = request.FineTuneJobId.Length > 0 ? request.FineTuneJobId : NewId(request.RequestId);
        var order = await CompleteAsync(request.FineTuneJob, id, ct);
        var created = await store.CreateAsync(
            new NewJob
            {
                Id = id,
                RequestId = request.RequestId,
                BodySha256 = Convert.ToHexStringLower(SHA256.HashData(request.ToByteArray())),
                Spec = order.ToJson(),
                SpecSha256 = FineTuneOrder.Sha256(order.Spec),
                MaxAttempts = order.Spec.MaxAttempts,
                Priority = request.Priority.ToDomain(),
                TraceParent = Activity.Current?.Id ?? "",
            },
            ct);
        return created.Outcome switch
        {
            CreateOutcome.Created or CreateOutcome.SameRequest => created.Id,
            CreateOutcome.IdTaken => throw DomainException.Exists(FineTuneOrder.JobName(id)),
            _ => throw new DomainException(
                ErrorReason.RequestIdReused, $"The request id {request.RequestId} was used with other content; send a new one.",
                ("request_id", request.RequestId)),
        };
    }

    private async Task<FineTuneOrder> CompleteAsync(FineTuneJob job, string id, CancellationToken ct)
    {
        var asked = SpecMapping.ToDomain(job.Spec);
        var (baseModel, weights) = FindBase(asked);
        CheckLengths(asked, weights);
        var datasets = new List<DatasetFacts>();
        var validation = new Dictionary<string, DatasetFacts>(StringComparer.Ordinal);
        foreach (var stage in asked.Stages)
        {
            datasets.Add(await catalog.PinAsync(stage.Dataset, ct));
            foreach (var heldOut in stage.ValidationDatasets)
            {
                validation[stage.StageId] = await catalog.PinAsync(heldOut, ct);
            }
        }

        var spec = SpecCompletion.Complete(
            asked, new BaseFacts(baseModel.Name, weights.ManifestSha256, weights.ContextTokens, AdapterOf(baseModel)) { PromptFormat = baseModel.PromptFormat }, datasets);
        spec = spec with { Stages = [.. spec.Stages.Select(stage => Pinned(stage, validation))] };
        CheckTransitions(spec, baseModel);
        return new FineTuneOrder
        {
            Spec = spec,
            DisplayName = job.DisplayName,
            Labels = new Dictionary<string, string>(job.Labels, StringComparer.Ordinal),
            OutputModel = job.OutputModel.Length > 0 ? job.OutputModel.Split('/')[1] : id,
            BaseManifestSha256 = weights.ManifestSha256,
            AdapterManifestSha256 = AdapterOf(baseModel) is null ? "" : baseModel.ManifestSha256,
            WeightsVersion = AdapterOf(baseModel) is null ? "" : weights.Name,
            Datasets = datasets,
            Validation = validation,
        };
    }

    private static StageSpec Pinned(StageSpec stage, Dictionary<string, DatasetFacts> validation) =>
        validation.TryGetValue(stage.StageId, out var heldOut) ? stage with { ValidationDatasets = [heldOut.VersionName] } : stage;

    private static AdapterFacts? AdapterOf(ModelVersionRecord version) => version.Kind != ModelKind.LoraAdapter ? null
        : version.Adapter ?? throw new DomainException(
            ErrorReason.WrongKind, $"{version.Name} is an adapter that nothing is known of; import it again.", ("resource", version.Name));

    // What the job names, and the full weights under it.
    private (ModelVersionRecord Named, ModelVersionRecord Weights) FindBase(FineTuning.FineTuneSpec asked)
    {
        var named = Find(asked.BaseModel);
        if (AdapterOf(named) is null)
        {
            return (named, named);
        }

        return asked.Lora is null && asked.Stages[0] is { Transition: null or StageTransition.Continue, Method: null }
            ? throw new DomainException(
                ErrorReason.WrongKind,
                $"{named.Name} is an adapter, and all weights are to be trained: set transition MERGE_THEN_NEW in the first stage, or name full weights, "
                    + $"such as {named.BaseModelVersion}.",
                ("resource", named.Name), ("base_model_version", named.BaseModelVersion))
            : (named, Find(named.BaseModelVersion));
    }

    private ModelVersionRecord Find(string name)
    {
        var parts = ResourceName.Parse(FineTuneRules.ModelVersionPattern, name, "fine_tune_job.spec.base_model");
        return registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(name);
    }

    private static void CheckTransitions(FineTuning.FineTuneSpec spec, ModelVersionRecord baseModel)
    {
        var violations = new FieldViolations();
        for (var i = 0; i < spec.Stages.Count; i++)
        {
            var problem = StageTransitions.Problem(spec, i, AdapterOf(baseModel));
            violations.Check(problem is null, $"fine_tune_job.spec.stages[{i}].transition", problem ?? "");
        }

        violations.ThrowIfAny();
    }

    private static void CheckLengths(FineTuning.FineTuneSpec spec, ModelVersionRecord baseModel)
    {
        var violations = new FieldViolations();
        for (var i = 0; i < spec.Stages.Count; i++)
        {
            violations.Check(
                spec.Stages[i].MaxSequenceTokens <= baseModel.ContextTokens,
                $"fine_tune_job.spec.stages[{i}].max_sequence_tokens", $"must be at most the context of {baseModel.Name}, {baseModel.ContextTokens}");
        }

        violations.ThrowIfAny();
    }

    // A request that is sent again names the same job, also where the first answer was lost on its way.
    private static string NewId(string requestId) => "ft-" + (requestId.Length > 0
        ? Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(requestId)))[..16]
        : Guid.NewGuid().ToString("N")[..16]);
}
