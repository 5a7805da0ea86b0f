using InstructTune.Modeling.Training;
using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Saves a job's state at a step border and publishes it in the job record; then older ones may go.</summary>
internal sealed class CheckpointWriter(CheckpointStore store, JobLog log, FineTuneSpec spec, string specSha256, CheckpointReference? newest)
{
    private CheckpointReference? _newest = newest;

    public bool IsDue(JobProgress progress) => progress.CompletedSteps % spec.CheckpointEverySteps == 0;

    public void Save(TrainedModel model, AdamW optimizer, StageRun run, JobProgress progress)
    {
        if (!log.MayWrite || progress.CompletedSteps <= (_newest?.Step ?? 0))
        {
            return;
        }

        var manifest = new CheckpointManifest
        {
            Job = log.Job.Id,
            Attempt = log.Job.Attempt,
            Step = progress.CompletedSteps,
            StageId = run.Spec.StageId,
            Parent = _newest?.ToString() ?? "",
            SpecSha256 = specSha256,
            Numerics = progress.Numerics,
            CreateTime = default,
            Files = [],
        };
        var reference = store.Write(manifest, folder => CheckpointFiles.Write(folder, model, optimizer, run, progress, spec));
        log.CheckpointSaved(reference.ToString(), progress);
        _newest = reference;
        store.Retain(log.Job.Id, reference, spec.CheckpointKeepLast);
    }
}
