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
        var baseModel = FindBase(asked.BaseModel);
        CheckLengths(asked, baseModel);
        var datasets = new List<DatasetFacts>();
        foreach (var stage in asked.Stages)
        {
            datasets.Add(await catalog.PinAsync(stage.Dataset, ct));
        }

        return new FineTuneOrder
        {
            Spec = SpecCompletion.Complete(asked, new BaseFacts(baseModel.Name, baseModel.ManifestSha256, baseModel.ContextTokens), datasets),
            DisplayName = job.DisplayName,
            Labels = new Dictionary<string, string>(job.Labels, StringComparer.Ordinal),
            OutputModel = job.OutputModel.Length > 0 ? job.OutputModel.Split('/')[1] : id,
            BaseManifestSha256 = baseModel.ManifestSha256,
            Datasets = datasets,
        };
    }

    private ModelVersionRecord FindBase(string name)
    {
        var parts = ResourceName.Parse(FineTuneRules.ModelVersionPattern, name, "fine_tune_job.spec.base_model");
        var found = registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(name);
        return found.Kind == ModelKind.FullWeights
            ? found
            : throw new DomainException(
                ErrorReason.WrongKind, $"{found.Name} is an adapter; base_model must hold full weights, such as {found.BaseModelVersion}.",
                ("resource", found.Name), ("base_model_version", found.BaseModelVersion));
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
