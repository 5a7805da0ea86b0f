using System.Globalization;
using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The state a job goes on from.</summary>
/// <param name="Folder">Of the checkpoint; null for a start from the base.</param>
/// <param name="Reference">Of the checkpoint; null for a start from the base.</param>
/// <param name="Progress">Where the job was.</param>
/// <param name="Kept">The accepted checkpoints, newest first.</param>
internal sealed record RestoredState(string? Folder, CheckpointReference? Reference, JobProgress Progress, IReadOnlyList<KeptCheckpoint> Kept);

/// <summary>Finds the newest accepted checkpoint whose files are all as they were; says so where that is not the newest.</summary>
internal sealed class CheckpointRestorer(CheckpointStore store)
{
    public RestoredState Restore(JobLog log, FineTuneSpec spec)
    {
        var reference = CheckpointReference.Parse(log.Job.Checkpoint);
        while (reference is not null)
        {
            try
            {
                var (folder, manifest) = store.Open(log.Job.Id, reference);
                var self = new KeptCheckpoint(reference.ToString(), manifest.StageId, manifest.IsStageEnd, manifest.Cost);
                return new RestoredState(folder, reference, Named(CheckpointFiles.ReadProgress(folder), manifest, reference), [self, .. manifest.Earlier]);
            }
            catch (CheckpointCorruptException corrupt)
            {
                reference = RollBack(log, corrupt);
            }
        }

        return new RestoredState(null, null, JobProgress.Start(spec), []);
    }

    // A checkpoint cannot hold its own name, which has the digest of what it holds.
    private static JobProgress Named(JobProgress progress, CheckpointManifest manifest, CheckpointReference reference)
    {
        var index = progress.Stages.ToList().FindIndex(stage => stage.StageId == manifest.StageId);
        return progress.With(index, stage => stage with
        {
            Checkpoint = reference.Id,
            BestCheckpoint = stage.BestStep == reference.Step ? reference.Id : stage.BestCheckpoint,
        });
    }

    private CheckpointReference? RollBack(JobLog log, CheckpointCorruptException corrupt)
    {
        var parent = ParentOf(log, corrupt.Reference);
        var text = parent is null
            ? $"{corrupt.Message} No older checkpoint is kept: the job starts over."
            : $"{corrupt.Message} The job goes on from {parent.Id}.";
        log.RolledBack(
            parent?.ToString() ?? "", parent?.Step ?? -1, "CHECKPOINT_ROLLED_BACK", text,
            ("checkpoint", corrupt.Reference.Id),
            ("file", corrupt.File),
            ("step", (parent?.Step ?? 0).ToString(CultureInfo.InvariantCulture)));
        return parent;
    }

    // A manifest that is itself damaged names no parent; then the newest older folder is tried, whose own manifest proves what it is.
    private CheckpointReference? ParentOf(JobLog log, CheckpointReference corrupt)
    {
        try
        {
            return store.Chain(log.Job.Id, corrupt).Skip(1).Select(link => link.Reference).FirstOrDefault();
        }
        catch (CheckpointCorruptException)
        {
            return store.NewestBefore(log.Job.Id, log.Job.SpecSha256, corrupt.Step);
        }
    }
}
