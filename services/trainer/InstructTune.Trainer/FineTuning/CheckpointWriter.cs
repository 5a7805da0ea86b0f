using System.Globalization;
using InstructTune.Modeling.Training;
using InstructTune.Storage;
using InstructTune.Trainer.Checkpoints;
using InstructTune.Trainer.Reports;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Saves a job's state at a step border and publishes it in the job record; then older ones may go.</summary>
internal sealed class CheckpointWriter(
    CheckpointStore store, JobLog log, RunLog history, FineTuneSpec spec, RestoredState restored, TimeProvider time, TimeSpan storageRetryInterval)
{
    private CheckpointReference? _newest = restored.Reference;
    private IReadOnlyList<KeptCheckpoint> _kept = restored.Kept;
    private long _lastSaved = time.GetTimestamp();

    /// <summary>Whether somebody asked, or it is time.</summary>
    public bool IsDue(JobProgress progress) =>
        log.IsCheckpointRequested
        || progress.CompletedSteps % spec.CheckpointEverySteps == 0
        || time.GetElapsedTime(_lastSaved) >= TimeSpan.FromSeconds(spec.CheckpointEverySeconds);

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
        var before = progress;
        var reference = WriteOnceThereIsSpace(before, () => store.Write(manifest, folder =>
        {
            CheckpointFiles.Write(folder, model, optimizer, run, before, spec.Seed);
            history.Save(folder, run, before);
        }));
        if (reference is null)
        {
            return progress;
        }

        progress = progress.With(run.Index, saved => saved with
        {
            Checkpoint = reference.Id,
            BestCheckpoint = saved.BestStep == progress.CompletedSteps ? reference.Id : saved.BestCheckpoint,
        });
        FailPoint.Hit("checkpoint.before-report");
        log.CheckpointSaved(reference.ToString(), progress);
        FailPoint.Hit("checkpoint.after-report");
        Accepted(reference, new KeptCheckpoint(reference.ToString(), stage.StageId, manifest.IsStageEnd, manifest.Cost));
        return progress;
    }

    // A full disk is no fault of the job: it waits, and the checkpoints it has stay as they are. Null where it is asked to stop meanwhile.
    private CheckpointReference? WriteOnceThereIsSpace(JobProgress progress, Func<CheckpointReference> write)
    {
        for (var isSaid = false; ; isSaid = true)
        {
            try
            {
                return write();
            }
            catch (IOException exception) when (StorageFullException.Is(exception))
            {
                if (!isSaid)
                {
                    var step = progress.CompletedSteps.ToString(CultureInfo.InvariantCulture);
                    log.Notice(
                        "STORAGE_FULL", $"The disk is full: the checkpoint of step {step} cannot be written. The job waits for space; earlier checkpoints are intact.",
                        progress, ("step", step));
                }

                if (log.Stopping.WaitHandle.WaitOne(storageRetryInterval))
                {
                    return null;
                }

                log.StillWaiting();
            }
        }
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
            ValidationLoss = Measured(ValidationMetric.Loss),
            Cost = Measured(spec.BestMetric) is { } value ? ValidationMetric.CostOf(spec.BestMetric, value) : null,
            Earlier = _kept,
            SpecSha256 = log.Job.SpecSha256,
            Numerics = progress.Numerics,
            CreateTime = default,
            Files = [],
        };

        double? Measured(string metric)
        {
            var values = stage.BestStep == progress.CompletedSteps ? stage.BestValues
                : run.IsValidationDue(stage.CompletedSteps - 1) ? stage.ValidationValues
                : null;
            return values is not null && values.TryGetValue(metric, out var value) ? value : null;
        }
    }

    private void Accepted(CheckpointReference reference, KeptCheckpoint checkpoint)
    {
        _lastSaved = time.GetTimestamp();
        _newest = reference;
        _kept = CheckpointRetention.Kept([checkpoint, .. _kept], spec.CheckpointKeepLast);
        store.Retain(log.Job.Id, reference, _kept.Select(kept => CheckpointReference.Parse(kept.Reference)!));
    }
}
