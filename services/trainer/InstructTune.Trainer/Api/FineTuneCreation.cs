using System.Diagnostics;
using System.Security.Cryptography;
using Google.Protobuf;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Modeling.Tokenization;
using InstructTune.Storage;
using InstructTune.Trainer.Estimation;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Peers;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>From a valid request to a queued job: pins the base and the datasets, writes in every default.</summary>
internal sealed class FineTuneCreation(
    [FromKeyedServices(TrainerModule.Queue)] JobStore store,
    StartingPoint start,
    DatasetCatalog catalog,
    JobEstimator estimator,
    IArtifactStore artifacts)
{
    /// <summary>The job as it would be queued, with what it will take; nothing is queued.</summary>
    public async Task<FineTuneJob> EstimateAsync(CreateFineTuneJobRequest request, CancellationToken ct)
    {
        var order = await CompleteAsync(request.FineTuneJob, request.FineTuneJobId, ct);
        try
        {
            var estimate = await estimator.EstimateAsync(order, ct);
            return EstimateMapping.ToProto(order, estimate, Tokenizer.Load((await artifacts.OpenAsync(order.BaseManifestSha256, ct)).Path));
        }
        catch (JobFailedException exception)
        {
            throw EstimateMapping.ToError(exception.Fault);
        }
    }

    /// <summary>The ID of the job, which is an earlier one when the request was sent before.</summary>
    public async Task<string> CreateAsync(CreateFineTuneJobRequest request, CancellationToken ct)
    {
        var id = request.FineTuneJobId.Length > 0 ? request.FineTuneJobId : NewId(request.RequestId);
        var order = await CompleteAsync(request.FineTuneJob, id, ct);
        if (await estimator.MisfitAsync(order, ct) is { } misfit)
        {
            throw EstimateMapping.ToError(misfit);
        }

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
        var pinned = await start.PinAsync(asked.BaseModel, asked.Stages[0].CarriesOptimizerState, ct);
        RefuseAllWeightsOfAnAdapter(asked, pinned);
        CheckLengths(asked, pinned.Weights);
        await CheckFrozenAsync(asked, pinned, ct);
        var datasets = new List<DatasetFacts>();
        var validation = new Dictionary<string, IReadOnlyList<DatasetFacts>>(StringComparer.Ordinal);
        for (var i = 0; i < asked.Stages.Count; i++)
        {
            var stage = asked.Stages[i];
            datasets.Add(await catalog.PinAsync(stage, $"fine_tune_job.spec.stages[{i}]", ct));
            if (stage.ValidationDatasets.Count > 0)
            {
                validation[stage.StageId] = await PinAllAsync(stage.ValidationDatasets, ct);
            }
        }

        var spec = SpecCompletion.Complete(
            asked,
            new BaseFacts(pinned.Name, pinned.WeightsManifestSha256, pinned.Weights.ContextTokens, pinned.Adapter) { PromptFormat = pinned.PromptFormat },
            datasets);
        spec = spec with { Stages = [.. spec.Stages.Select(stage => Pinned(stage, validation))] };
        CheckTransitions(spec, pinned);
        CheckExports(job, spec);
        await CheckRanksAsync(spec, pinned, ct);
        return new FineTuneOrder
        {
            Spec = spec,
            DisplayName = job.DisplayName,
            Labels = new Dictionary<string, string>(job.Labels, StringComparer.Ordinal),
            OutputModel = job.OutputModel.Length > 0 ? job.OutputModel.Split('/')[1] : id,
            BaseManifestSha256 = pinned.WeightsManifestSha256,
            AdapterManifestSha256 = pinned.AdapterManifestSha256,
            WeightsVersion = pinned.Weights.Name == spec.BaseModel ? "" : pinned.Weights.Name,
            BaseAdapters = pinned.FrozenAdapters,
            HasUnnamedBase = pinned.IsUnnamed,
            OptimizerManifestSha256 = pinned.OptimizerManifestSha256,
            Datasets = datasets,
            Validation = validation,
            Exports = [.. job.ModelExports.Select(ExportMapping.ToDomain).Distinct()],
        };
    }

    private async Task CheckFrozenAsync(FineTuning.FineTuneSpec asked, PinnedBase pinned, CancellationToken ct)
    {
        if (FreezeRules.Concern(asked) && await estimator.ConfigAsync(pinned.WeightsManifestSha256, ct) is { } config)
        {
            FreezeRules.Check(asked, config, pinned.Name);
        }
    }

    private async Task CheckRanksAsync(FineTuning.FineTuneSpec spec, PinnedBase pinned, CancellationToken ct)
    {
        if (PissaRules.Concern(spec) && await estimator.ConfigAsync(pinned.WeightsManifestSha256, ct) is { } config)
        {
            PissaRules.Check(spec, config, pinned.Name);
        }
    }

    private async Task<IReadOnlyList<DatasetFacts>> PinAllAsync(IReadOnlyList<string> names, CancellationToken ct)
    {
        var pinned = new List<DatasetFacts>();
        foreach (var name in names)
        {
            pinned.Add(await catalog.PinAsync(name, ct));
        }

        return pinned;
    }

    private static StageSpec Pinned(StageSpec stage, Dictionary<string, IReadOnlyList<DatasetFacts>> validation) =>
        validation.TryGetValue(stage.StageId, out var sets) ? stage with { ValidationDatasets = [.. sets.Select(set => set.VersionName)] } : stage;

    private static void RefuseAllWeightsOfAnAdapter(FineTuning.FineTuneSpec asked, PinnedBase pinned)
    {
        if (pinned.Adapter is not null && asked.Lora is null && asked.Stages[0] is { Transition: null or StageTransition.Continue, Method: null })
        {
            throw new DomainException(
                ErrorReason.WrongKind,
                $"{pinned.Name} is an adapter, and weights of the model are to be trained: set transition MERGE_THEN_NEW in the first stage, or name full weights, "
                    + $"such as {pinned.Weights.Name}.",
                ("resource", pinned.Name), ("base_model_version", pinned.Weights.Name));
        }
    }

    private static void CheckTransitions(FineTuning.FineTuneSpec spec, PinnedBase pinned)
    {
        var violations = new FieldViolations();
        for (var i = 0; i < spec.Stages.Count; i++)
        {
            var field = $"fine_tune_job.spec.stages[{i}]";
            var problem = StageTransitions.Problem(spec, i, pinned.Adapter);
            violations.Check(problem is null, field + ".transition", problem ?? "");
            problem = CarriedMoments.Problem(spec, i, i == 0 ? pinned.Spec : spec, i == 0 ? pinned.Stage : spec.Stages[i - 1]);
            violations.Check(problem is null, field + ".carry_optimizer_state", problem ?? "");
        }

        violations.ThrowIfAny();
    }

    private static void CheckExports(FineTuneJob job, FineTuning.FineTuneSpec spec)
    {
        var violations = new FieldViolations();
        var isAdapter = spec.LoraOf(spec.Stages[^1]) is not null;
        for (var i = 0; i < job.ModelExports.Count; i++)
        {
            violations.Check(
                isAdapter || job.ModelExports[i].Format is not (ModelExport.Types.Format.Peft or ModelExport.Types.Format.GgufAdapter),
                $"fine_tune_job.model_exports[{i}].format", "is for adapters, and the last stage trains no adapter");
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
