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
            Stages = { reached.Stages.Zip(order.Datasets, (stage, dataset) => Of(job.Id, stage, dataset)) },
            Numerics = { reached.Numerics.ToDictionary() },
            ModelVersion = job.State == Jobs.JobState.Succeeded ? (await registrar.EnsureAsync(job, ct)).Name : "",
            SpecSha256 = job.SpecSha256,
            OutputModel = "models/" + order.OutputModel,
            ModelExports = { order.Exports.Select(ExportMapping.ToProto) },
            Etag = JobEtag.Of(job),
        };
    }

    public static Checkpoint Of(string jobId, CheckpointReference reference, CheckpointManifest manifest)
    {
        var checkpoint = new Checkpoint
        {
            Name = FineTuneNames.Checkpoint(jobId, reference),
            StageId = manifest.StageId,
            Step = reference.Step,
            SizeBytes = manifest.SizeBytes,
            ManifestSha256 = reference.ManifestSha256,
            CreateTime = manifest.CreateTime.ToTimestamp(),
            Attempt = reference.Attempt,
        };
        if (manifest.ValidationLoss is { } loss)
        {
            checkpoint.ValidationLoss = loss;
        }

        return checkpoint;
    }

    private static FineTuneJob.Types.StageStatus Of(string jobId, StageProgress stage, DatasetFacts dataset)
    {
        var status = new FineTuneJob.Types.StageStatus
        {
            StageId = stage.StageId,
            CompletedSteps = stage.CompletedSteps,
            PlannedSteps = stage.PlannedSteps,
            TrainingLoss = stage.TrainingLoss,
            TrainedTokens = stage.TrainedTokens,
            DroppedExamples = { stage.DroppedExamples.ToDictionary() },
            ReusedCheckpoint = stage.ReusedCheckpoint,
            Checkpoint = FineTuneNames.CheckpointOfId(jobId, stage.Checkpoint),
            BestCheckpoint = FineTuneNames.CheckpointOfId(jobId, stage.BestCheckpoint),
            DatasetVersion = dataset.VersionName,
        };
        if (stage.ValidationLoss is { } loss)
        {
            status.ValidationLoss = loss;
        }

        return status;
    }
}
