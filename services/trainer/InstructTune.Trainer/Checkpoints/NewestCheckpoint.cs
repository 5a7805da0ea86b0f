using InstructTune.Jobs;

namespace InstructTune.Trainer.Checkpoints;

/// <summary>What a job goes on from when the store of jobs was lost: the newest checkpoint whose every file verifies.</summary>
internal sealed class NewestCheckpoint(CheckpointStore checkpoints) : IJobCheckpoints
{
    public (string Checkpoint, long Step)? Newest(string jobId)
    {
        foreach (var reference in checkpoints.Published(jobId))
        {
            try
            {
                checkpoints.Open(jobId, reference);
                return (reference.ToString(), reference.Step);
            }
            catch (CheckpointCorruptException)
            {
                // The one before it is tried.
            }
        }

        return null;
    }
}
