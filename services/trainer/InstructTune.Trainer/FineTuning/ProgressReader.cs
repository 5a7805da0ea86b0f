using InstructTune.Jobs;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Where a job is now: what its attempt last wrote, and the steps reported since.</summary>
internal sealed class ProgressReader([FromKeyedServices(TrainerModule.Queue)] JobStore store, AttemptFolder attempts)
{
    // Between two steps there are a few events of other kinds at most.
    private const int TailEvents = 16;

    public async Task<JobProgress> ReadAsync(JobRecord job, FineTuneSpec spec, CancellationToken ct)
    {
        var progress = attempts.ReadProgress(job.Id, job.Attempt) ?? JobProgress.Start(spec);
        var tail = await store.ReadEventsAsync(job.Id, Math.Max(job.FirstSequence - 1, job.LastSequence - TailEvents), TailEvents, ct);
        var newest = tail?.Entries.Where(entry => entry.Attempt == job.Attempt).Select(entry => entry.Body).OfType<MetricsBody>().LastOrDefault();
        return newest is null ? progress : Apply(progress, newest);
    }

    internal static JobProgress Apply(JobProgress progress, MetricsBody metrics)
    {
        var index = progress.Stages.ToList().FindIndex(stage => stage.StageId == metrics.StageId);
        return index < 0 || metrics.Step <= progress.CompletedSteps
            ? progress
            : progress.With(index, stage => stage with
            {
                CompletedSteps = metrics.Step - progress.Stages.Take(index).Sum(earlier => earlier.PlannedSteps),
                TrainingLoss = metrics.Values["training_loss"],
                TrainedTokens = (long)metrics.Values["trained_tokens"],
            });
    }
}
