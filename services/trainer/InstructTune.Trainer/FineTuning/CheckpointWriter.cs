using InstructTune.Modeling.Training;
using InstructTune.Storage;
using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Saves a job's state at a step border and publishes it in the job record; then older ones may go.</summary>
internal sealed class CheckpointWriter(CheckpointStore store, JobLog log, FineTuneSpec spec, RestoredState restored, TimeProvider time)
{
    private TrainingHistory _history = TrainingHistory.From(restored.Folder);
    private CheckpointReference? _newest = restored.Reference;
    private IReadOnlyList<KeptCheckpoint> _kept = restored.Kept;
    private long _lastSaved = time.GetTimestamp();

    /// <summary>Whether somebody asked, or it is time.</summary>
    public bool IsDue(JobProgress progress) =>
        log.IsCheckpointRequested
        || progress.CompletedSteps % spec.CheckpointEverySteps == 0
        || time.GetElapsedTime(_lastSaved) >= TimeSpan.FromSeconds(spec.CheckpointEverySeconds);

    /// <summary>Takes a step into the history that checkpoints carry; returns the tokens of the job so far.</summary>
    public long Remember(StageRun run, long step, double rate, StepResult result) => _history.Add(run, step, rate, result);

    /// <summary>Goes on from what another job trained; its checkpoint does not become this job's.</summary>
    public void Adopt(string folder) => _history = TrainingHistory.From(folder);

    /// <summary>The verified folder of a step's checkpoint.</summary>
    public string Open(long step) => store.Open(
        log.Job.Id, _kept.Select(kept => CheckpointReference.Parse(kept.Reference)!).First(reference => reference.Step == step)).Folder;

    /// <summary>The newest accepted one.</summary>
    public CheckpointReference? Newest => _newest;

    /// <summary>Returns the progress with the checkpoint's name in it, or the same where nothing may be written.</summary>
    public JobProgress Save(TrainedModel model, Optimizer optimizer, StageRun run, JobProgress progress)
    {
        if (!log.MayWrite || progress.CompletedSteps <= (_newest?.Step ?? 0))
        {
            return progress;
        }

        var stage = progress.Stages[run.Index];
        var manifest = ManifestOf(run, progress);
        var reference = store.Write(manifest, folder =>
        {
            CheckpointFiles.Write(folder, model, optimizer, run, progress, spec.Seed);
            _history.Write(folder, run, progress, spec, model.ParameterCount);
        });
        progress = progress.With(run.Index, before => before with
        {
            Checkpoint = reference.Id,
            BestCheckpoint = before.BestStep == progress.CompletedSteps ? reference.Id : before.BestCheckpoint,
        });
        FailPoint.Hit("checkpoint.before-report");
        log.CheckpointSaved(reference.ToString(), progress);
        FailPoint.Hit("checkpoint.after-report");
        Accepted(reference, new KeptCheckpoint(reference.ToString(), stage.StageId, manifest.IsStageEnd, manifest.ValidationLoss));
        return progress;
    }

    private CheckpointManifest ManifestOf(StageRun run, JobProgress progress)
    {
        var stage = progress.Stages[run.Index];
        return new CheckpointManifest
        {
            Job = log.Job.Id,
            Attempt = log.Job.Attempt,
            Step = progress.CompletedSteps,
            StageId = stage.StageId,
            IsStageEnd = stage.IsComplete,
            ValidationLoss = stage.BestStep == progress.CompletedSteps ? stage.BestValidationLoss
                : run.IsValidationDue(stage.CompletedSteps - 1) ? stage.ValidationLoss
                : null,
            Earlier = _kept,
            SpecSha256 = log.Job.SpecSha256,
            Numerics = progress.Numerics,
            CreateTime = default,
            Files = [],
        };
    }

    private void Accepted(CheckpointReference reference, KeptCheckpoint checkpoint)
    {
        _lastSaved = time.GetTimestamp();
        _newest = reference;
        _kept = CheckpointRetention.Kept([checkpoint, .. _kept], spec.CheckpointKeepLast);
        store.Retain(log.Job.Id, reference, _kept.Select(kept => CheckpointReference.Parse(kept.Reference)!));
    }
}
