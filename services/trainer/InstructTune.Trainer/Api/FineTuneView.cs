using Google.Protobuf.WellKnownTypes;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Trainer.Checkpoints;
using InstructTune.Trainer.FineTuning;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>Jobs and checkpoints as the API shows them.</summary>
internal sealed class FineTuneView(ProgressReader progress, ResultRegistrar registrar)
{
    public async Task<FineTuneJob> OfAsync(JobRecord job, CancellationToken ct)
    {
        var order = FineTuneOrder.Parse(job.Spec);
        var reached = await progress.ReadAsync(job, order.Spec, ct);
        return new FineTuneJob
        {
            Name = FineTuneOrder.JobName(job.Id),
            DisplayName = order.DisplayName,
            Labels = { order.Labels.ToDictionary() },
            Spec = SpecMapping.ToProto(order.Spec),
            Job = JobMapping.ToProto(job),
            Stages = { reached.Stages.Zip(order.Datasets, Of) },
            Numerics = { reached.Numerics.ToDictionary() },
            ModelVersion = job.State == Jobs.JobState.Succeeded ? (await registrar.EnsureAsync(job, ct)).Name : "",
            SpecSha256 = job.SpecSha256,
            OutputModel = "models/" + order.OutputModel,
        };
    }

    public static Checkpoint Of(string jobId, CheckpointReference reference, CheckpointManifest manifest) => new()
    {
        Name = FineTuneNames.Checkpoint(jobId, reference),
        StageId = manifest.StageId,
        Step = reference.Step,
        SizeBytes = manifest.SizeBytes,
        ManifestSha256 = reference.ManifestSha256,
        CreateTime = manifest.CreateTime.ToTimestamp(),
        Attempt = reference.Attempt,
    };

    private static FineTuneJob.Types.StageStatus Of(StageProgress stage, DatasetFacts dataset) => new()
    {
        StageId = stage.StageId,
        CompletedSteps = stage.CompletedSteps,
        PlannedSteps = stage.PlannedSteps,
        TrainingLoss = stage.TrainingLoss,
        TrainedTokens = stage.TrainedTokens,
        DroppedExamples = { stage.DroppedExamples.ToDictionary() },
        DatasetVersion = dataset.VersionName,
    };
}
