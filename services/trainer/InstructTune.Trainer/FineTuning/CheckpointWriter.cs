using InstructTune.Modeling.Training;
using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Saves a job's state at a step border and publishes it in the job record; then older ones may go.</summary>
internal sealed class CheckpointWriter(CheckpointStore store, JobLog log, FineTuneSpec spec, RestoredState restored)
{
    private readonly TrainingHistory _history = TrainingHistory.From(restored.Folder);
    private CheckpointReference? _newest = restored.Reference;

    public bool IsDue(JobProgress progress) => progress.CompletedSteps % spec.CheckpointEverySteps == 0;

    /// <summary>Takes a step into the history that checkpoints carry; returns the tokens of the job so far.</summary>
    public long Remember(StageRun run, long step, double rate, StepResult result) => _history.Add(run, step, rate, result);

    public void Save(TrainedModel model, Optimizer optimizer, StageRun run, JobProgress progress)
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
            SpecSha256 = log.Job.SpecSha256,
            Numerics = progress.Numerics,
            CreateTime = default,
            Files = [],
        };
        var reference = store.Write(manifest, folder =>
        {
            CheckpointFiles.Write(folder, model, optimizer, run, progress, spec.Seed);
            _history.Write(folder, run, progress, spec, model.ParameterCount);
        });
        log.CheckpointSaved(reference.ToString(), progress);
        _newest = reference;
        store.Retain(log.Job.Id, reference, spec.CheckpointKeepLast);
    }
}
