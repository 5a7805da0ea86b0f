using InstructTune.Jobs;
using InstructTune.Trainer.Checkpoints;
using Microsoft.Extensions.Options;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What takes the place of training the stages up to one.</summary>
/// <param name="Folder">Of another job's checkpoint at the end of that stage; verified.</param>
/// <param name="Progress">Where this job is with it.</param>
internal sealed record AdoptedStages(string Folder, JobProgress Progress);

/// <summary>
/// Looks for equal stages of other jobs, and lets one job train what several need. A job waits only for one that runs: a job that went back to the
/// queue may need the very worker that waits.
/// </summary>
internal sealed class StageReuse(
    StageIndex index, CheckpointStore checkpoints, [FromKeyedServices(TrainerModule.Queue)] JobStore jobs, IOptions<TrainerOptions> options)
{
    /// <summary>The furthest stage from <paramref name="from"/> on that an equal job has trained; null where there is none.</summary>
    public AdoptedStages? Find(FineTuneOrder order, IReadOnlyList<string> identities, int from, JobProgress progress)
    {
        for (var i = identities.Count - 1; i >= from; i--)
        {
            if (index.Find(identities[i]) is { } trained && Open(trained) is { } folder)
            {
                return new AdoptedStages(folder, Adopt(order, trained, i, CheckpointFiles.ReadProgress(folder), progress));
            }
        }

        return null;
    }

    /// <summary>
    /// Returns once this job is the one that trains the stage, or what another has trained of it meanwhile. Blocks; meant for the training thread.
    /// </summary>
    /// <exception cref="OperationCanceledException">Asked to stop while waiting.</exception>
    public AdoptedStages? FindOrClaim(JobLog log, FineTuneOrder order, IReadOnlyList<string> identities, int stage, JobProgress progress)
    {
        var waitsFor = "";
        while (true)
        {
            if (Find(order, identities, stage, progress) is { } found)
            {
                return found;
            }

            var (number, holder) = index.Claim(identities[stage]);
            if (number == 0 || holder == log.Job.Id || !IsRunning(holder))
            {
                if (holder == log.Job.Id || index.TryClaim(identities[stage], number + 1, log.Job.Id))
                {
                    return null;
                }

                continue;
            }

            if (waitsFor != holder)
            {
                waitsFor = holder;
                log.Phase("waiting", progress);
                log.Notice(
                    "STAGE_AWAITED", $"{FineTuneOrder.JobName(holder)} is training an equal stage {order.Spec.Stages[stage].StageId}; this job waits for it.",
                    progress, ("job", FineTuneOrder.JobName(holder)), ("stage", order.Spec.Stages[stage].StageId));
            }

            log.Stopping.WaitHandle.WaitOne(options.Value.StagePollInterval);
            log.ThrowIfStopped();
            log.StillWaiting();
        }
    }

    /// <summary>Tells other jobs of a stage that this one trained to its end.</summary>
    public void Offer(string identity, string jobId, CheckpointReference checkpoint) => index.Record(identity, new TrainedStage(jobId, checkpoint.ToString()));

    private static JobProgress Adopt(FineTuneOrder order, TrainedStage trained, int last, JobProgress theirs, JobProgress ours)
    {
        var place = $"{FineTuneOrder.JobName(trained.Job)}/checkpoints/{CheckpointReference.Parse(trained.Checkpoint)!.Id}";
        for (var i = 0; i <= last; i++)
        {
            var stage = theirs.Stages[i];
            ours = ours.With(i, mine => mine.IsComplete ? mine : stage with
            {
                StageId = order.Spec.Stages[i].StageId,
                ReusedCheckpoint = place,
                Checkpoint = "",
                BestCheckpoint = "",
            });
        }

        return ours with { Foundation = theirs.Foundation };
    }

    private bool IsRunning(string jobId) =>
        jobs.GetAsync(jobId).GetAwaiter().GetResult() is { State: JobState.Running or JobState.Cancelling };

    private string? Open(TrainedStage trained)
    {
        try
        {
            var reference = CheckpointReference.Parse(trained.Checkpoint)!;
            return checkpoints.Open(trained.Job, reference).Folder;
        }
        catch (CheckpointCorruptException)
        {
            // Gone or damaged: the stage is trained again, and offered again.
            return null;
        }
    }
}
