using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The training loop of one stage. Runs on the training thread.</summary>
internal sealed class StageRunner(
    TrainedModel model, MemoryEstimate memory, JobLog log, CheckpointWriter checkpoints, DeviceTurns turns, TimeProvider time)
{
    /// <summary>Trains from where <paramref name="progress"/> says to the end of the stage, and returns where the job is then.</summary>
    /// <param name="run">The stage.</param>
    /// <param name="progress">Where the job is.</param>
    /// <param name="checkpointFolder">Of the optimizer's moments, where the stage had begun already; null for a fresh start.</param>
    /// <exception cref="OperationCanceledException">Asked to stop; the last step is done and saved.</exception>
    /// <exception cref="JobFailedException">The loss or a gradient is not finite.</exception>
    public JobProgress Run(StageRun run, JobProgress progress, string? checkpointFolder)
    {
        using var optimizer = Optimizer.Create(model.Weights, run.Optimizer, model.RateFactor);
        if (checkpointFolder is not null)
        {
            CheckpointFiles.RestoreMoments(checkpointFolder, optimizer);
        }

        log.StageStarted(run, progress);
        var trainingStep = new TrainingStep(model, optimizer, run.MaxGradientNorm);
        for (var step = progress.Stages[run.Index].CompletedSteps; step < run.Batches.PlannedSteps; step++)
        {
            var started = time.GetTimestamp();
            var microBatches = memory.Cut(run.Rows(step), run.Spec.MicroBatchSize);
            var rate = run.Schedule.Rate(step);
            var result = trainingStep.Run(microBatches, rate, pass => run.DropoutSeed(step, pass), () => turns.Enter(CancellationToken.None));
            RequireFinite(result, run, step);

            progress = progress.With(run.Index, stage => stage with
            {
                CompletedSteps = step + 1,
                TrainingLoss = result.Loss,
                TrainedTokens = stage.TrainedTokens + result.TrainedTokenCount,
            });
            var seenTokens = checkpoints.Remember(run, step, rate, result);
            log.StepCompleted(run, progress, result, rate, seenTokens, time.GetElapsedTime(started));
            var isLast = step + 1 == run.Batches.PlannedSteps;
            if (isLast || log.ShouldStop || checkpoints.IsDue(progress))
            {
                checkpoints.Save(model, optimizer, run, progress);
            }

            log.ThrowIfStopped();
        }

        return progress;
    }

    private static void RequireFinite(StepResult result, StageRun run, long step)
    {
        if (result.IsFinite)
        {
            return;
        }

        var number = (step + 1).ToString(CultureInfo.InvariantCulture);
        throw new JobFailedException(new JobFault(
            "TRAINING_DIVERGED",
            $"The loss or a gradient was not finite in step {number} of stage {run.Spec.StageId}. Lower peak_learning_rate or lengthen the warm-up.",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["stage"] = run.Spec.StageId, ["step"] = number }));
    }
}
