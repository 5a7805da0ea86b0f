using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Storage;
using InstructTune.Trainer.Estimation;
using InstructTune.Trainer.Reports;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The training loop of one stage. Runs on the training thread.</summary>
internal sealed class StageRunner(
    TrainedModel model, PassCut memory, JobLog log, CheckpointWriter checkpoints, RunLog history, FineTuneSpec spec, StageClock clock, DeviceTurns turns,
    TimeProvider time)
{
    /// <summary>Trains from where <paramref name="progress"/> says to the end of the stage, and returns where the job is then.</summary>
    /// <param name="run">The stage.</param>
    /// <param name="progress">Where the job is.</param>
    /// <param name="checkpointFolder">Of the optimizer's moments, where the stage had begun already; null for a fresh start.</param>
    /// <exception cref="OperationCanceledException">Asked to stop; the last step is done and saved.</exception>
    /// <exception cref="JobFailedException">The run has diverged.</exception>
    public JobProgress Run(StageRun run, JobProgress progress, string? checkpointFolder)
    {
        using var span = TrainerTelemetry.StartStage(run);
        model.NeftuneAlpha = run.Spec.NeftuneAlpha;
        using var optimizer = Optimizer.Create(model.Weights, run.Optimizer, model.RateFactor, RoundingOf(run), run.RoundingSeed);
        if (checkpointFolder is not null)
        {
            CheckpointFiles.RestoreMoments(checkpointFolder, optimizer);
        }

        log.StageStarted(run, progress);
        var trainingStep = new TrainingStep(model, optimizer, run.MaxGradientNorm);
        for (var step = progress.Stages[run.Index].CompletedSteps; !progress.Stages[run.Index].IsComplete; step++)
        {
            FailPoint.Hit("training.step");
            progress = Step(run, trainingStep, progress, step);
            var isBest = progress.Stages[run.Index].BestStep == progress.CompletedSteps;
            if (progress.Stages[run.Index].IsComplete)
            {
                progress = Save(optimizer, run, WithBestWeights(run, progress));
            }
            else if (checkpoints.IsDue(progress) || isBest || log.ShouldStop)
            {
                progress = Save(optimizer, run, progress);
            }

            log.ThrowIfStopped();
        }

        clock.Save();
        return progress;
    }

    private JobProgress Save(Optimizer optimizer, StageRun run, JobProgress progress)
    {
        var started = time.GetTimestamp();
        var saved = checkpoints.Save(model, optimizer, run, progress);
        TrainerTelemetry.CheckpointSaved(time.GetElapsedTime(started));
        return saved;
    }

    private JobProgress Step(StageRun run, TrainingStep trainingStep, JobProgress progress, long step)
    {
        using var span = TrainerTelemetry.StartStep(step);
        var started = time.GetTimestamp();
        var microBatches = memory.Cut(run.Rows(step), run.Spec.MicroBatchSize);
        var rate = run.Schedule.Rate(step);
        var result = trainingStep.Run(microBatches, rate, run.DropoutSeed(step), () => turns.Enter(CancellationToken.None));
        progress = progress.With(run.Index, stage => DivergenceGuard.Count(stage, result, spec.Divergence) with { CompletedSteps = step + 1 });
        if (!result.IsFinite)
        {
            var number = (step + 1).ToString(CultureInfo.InvariantCulture);
            log.Notice(
                "STEP_SKIPPED", $"The loss or a gradient was not finite in step {number} of stage {run.Spec.StageId}; the step changed no weight.", progress,
                ("stage", run.Spec.StageId), ("step", number));
            return progress;
        }

        progress = progress.With(run.Index, stage => stage with
        {
            TrainingLoss = result.Loss,
            TrainedTokens = stage.TrainedTokens + result.TrainedTokenCount,
        });
        var elapsed = time.GetElapsedTime(started);
        clock.Count(microBatches, elapsed);
        TrainerTelemetry.StepCompleted(run, result, elapsed);
        var validationStarted = time.GetTimestamp();
        var measured = run.IsValidationDue(step) ? new ValidationPass(model, memory, turns, log.StillWaiting).Run(run) : null;
        var validationTime = time.GetElapsedTime(validationStarted);
        progress = measured is null ? progress : progress.With(run.Index, stage => ValidationOutcome.Count(stage, run.Spec, spec.BestMetric, measured, progress.CompletedSteps));
        var values = log.StepCompleted(run, progress, result, rate, history.SeenTokens + result.TokenCount, measured, elapsed);
        history.Step(run, progress, values, validationTime);
        return EndedEarly(run, progress);
    }

    // A stage that ends before its time has as many steps as it took.
    private JobProgress EndedEarly(StageRun run, JobProgress progress)
    {
        var stage = progress.Stages[run.Index];
        if (stage.IsComplete || !ValidationOutcome.IsOutOfPatience(stage, run.Spec))
        {
            return progress;
        }

        log.Notice(
            "STAGE_ENDED_EARLY",
            $"Stage {stage.StageId} ends after step {stage.CompletedSteps} of {stage.PlannedSteps}: {stage.PassesWithoutImprovement} validation passes brought no better {spec.BestMetric}.",
            progress, ("stage", stage.StageId), ("step", stage.CompletedSteps.ToString(CultureInfo.InvariantCulture)), ("metric", spec.BestMetric));
        return progress.With(run.Index, ended => ended with { PlannedSteps = ended.CompletedSteps });
    }

    private WeightRounding RoundingOf(StageRun run) => spec.Precision switch
    {
        _ when spec.LoraOf(run.Spec) is not null => WeightRounding.None,
        TrainingPrecision.Bfloat16 => WeightRounding.Masters,
        TrainingPrecision.PureBfloat16 => WeightRounding.Stochastic,
        _ => WeightRounding.None,
    };

    // The stage's last checkpoint then has the best weights: what is published, reused or trained on starts there.
    private JobProgress WithBestWeights(StageRun run, JobProgress progress)
    {
        var stage = progress.Stages[run.Index];
        if (!spec.CheckpointKeepBest || run.Validation.Count == 0 || stage.BestValue is null || stage.BestStep == progress.CompletedSteps || !log.MayWrite)
        {
            return progress;
        }

        model.LoadWeights(checkpoints.Open(stage.BestStep));
        log.Notice(
            "BEST_WEIGHTS_USED", $"Stage {stage.StageId} ends with the weights of step {stage.BestStep}, which validated best.", progress,
            ("stage", stage.StageId), ("step", stage.BestStep.ToString(CultureInfo.InvariantCulture)));
        return progress.With(run.Index, last => last with { ValidationLoss = last.BestValues.GetValueOrDefault(ValidationMetric.Loss), ValidationValues = last.BestValues });
    }
}
