using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Training;
using InstructTune.Storage;
using InstructTune.Trainer.Reports;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// What an attempt tells the world, and what the world tells it. Reports return once they are on their way, so the training thread may wait
/// for them.
/// </summary>
internal sealed class JobLog(JobContext context, AttemptFolder attempts)
{
    public JobRecord Job => context.Job;

    /// <summary>Where this attempt keeps its logs.</summary>
    public LogFolder Folder => new(attempts.LogFolder(Job.Id, Job.Attempt), Job.Id, Job.Attempt);

    /// <summary>Whether the step that just ended should be the last.</summary>
    public bool ShouldStop => context.Stop != StopReason.None;

    /// <summary>Ends the attempt after a step, once what could be saved is saved.</summary>
    public void ThrowIfStopped() => context.Stopping.ThrowIfCancellationRequested();

    /// <summary>Whether this attempt may still write: a lost lease may be another worker's by now.</summary>
    public bool MayWrite => context.Stop != StopReason.LeaseLost;

    /// <summary>Whether a caller asked for a checkpoint and none was saved since.</summary>
    public bool IsCheckpointRequested => context.IsCheckpointRequested;

    /// <summary>Tells the watchdog that waiting is not hanging.</summary>
    public void StillWaiting() => context.Progressed();

    public CancellationToken Stopping => context.Stopping;

    public void Phase(string phase, JobProgress progress) => Report(new PhaseBody(phase), progress);

    public void NumericsChanged(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after, JobProgress progress) =>
        Report(new NumericsChangedBody(before, after), progress);

    /// <summary>An equal stage was trained before: its checkpoint takes the place of training.</summary>
    public void StageReused(StageProgress stage, JobProgress progress) =>
        Report(new StageBody(stage.StageId, stage.PlannedSteps, 0, stage.ReusedCheckpoint), progress);

    /// <summary>What the API shows until the next checkpoint is saved.</summary>
    public void Reached(JobProgress progress) => attempts.WriteProgress(Job.Id, Job.Attempt, progress);

    public void Notice(string reason, string text, JobProgress progress, params (string Key, string Value)[] metadata) =>
        Report(new NoticeBody(reason, text, metadata.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal)), progress);

    public void StageStarted(StageRun run, JobProgress progress)
    {
        ReachedWhereThereIsSpace(progress);
        Report(new StageBody(run.Spec.StageId, run.Batches.PlannedSteps, run.Data.ExampleCount), progress);
        if (run.Data.Sources.Count > 0)
        {
            Notice(
                "DATASET_MIX",
                $"Stage {run.Spec.StageId} mixes " + string.Join(", ", run.Data.Sources.Select(source => FormattableString.Invariant($"{source.ExampleCount} of {source.Version}"))) + ".",
                progress,
                [("stage", run.Spec.StageId), .. run.Data.Sources.Select((source, i) => (FormattableString.Invariant($"component_{i}"), FormattableString.Invariant($"{source.ExampleCount} {source.Version}")))]);
        }

        foreach (var (reason, count) in run.Data.Dropped)
        {
            var text = count.ToString(CultureInfo.InvariantCulture);
            Notice(reason, $"Stage {run.Spec.StageId} leaves out {text} of its examples.", progress, ("stage", run.Spec.StageId), ("count", text));
        }

        if (run.Data.TruncatedCount > 0)
        {
            var text = run.Data.TruncatedCount.ToString(CultureInfo.InvariantCulture);
            Notice(
                "TRUNCATED", $"Stage {run.Spec.StageId} cuts {text} of its examples to {run.Spec.MaxSequenceTokens} tokens.", progress,
                ("stage", run.Spec.StageId), ("count", text));
        }
    }

    /// <param name="run">The stage.</param>
    /// <param name="progress">After the step.</param>
    /// <param name="result">What the step measured.</param>
    /// <param name="rate">The learning rate it used.</param>
    /// <param name="seenTokens">Tokens since the start of the job.</param>
    /// <param name="validation">Where the step was validated, what that measured.</param>
    /// <param name="elapsed">What it took.</param>
    /// <returns>The values reported, by name.</returns>
    public IReadOnlyDictionary<string, double> StepCompleted(
        StageRun run, JobProgress progress, StepResult result, double rate, long seenTokens, IReadOnlyDictionary<string, double>? validation, TimeSpan elapsed)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal)
        {
            ["training_loss"] = result.Loss,
            ["epoch"] = run.Batches.EpochAt(progress.Stages[run.Index].CompletedSteps),
            ["learning_rate"] = rate,
            ["gradient_norm"] = result.GradientNorm,
            ["tokens_per_second"] = result.TokenCount / elapsed.TotalSeconds,
            ["seen_tokens"] = seenTokens,
            ["trained_tokens"] = progress.Stages[run.Index].TrainedTokens,
        };
        foreach (var (name, value) in validation ?? new Dictionary<string, double>(StringComparer.Ordinal))
        {
            values[name] = value;
        }

        Report(new MetricsBody(progress.CompletedSteps, progress.PlannedSteps, run.Spec.StageId, values), progress);
        return values;
    }

    public void CheckpointSaved(string reference, JobProgress progress)
    {
        context.ReportCheckpointAsync(reference, progress.CompletedSteps).GetAwaiter().GetResult();
        ReachedWhereThereIsSpace(progress);
    }

    public void RolledBack(string reference, long step, string reason, string text, params (string Key, string Value)[] metadata) =>
        context.ReportRollbackAsync(
            reference, step, new NoticeBody(reason, text, metadata.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal)))
            .GetAwaiter().GetResult();

    // The view of the API may lag behind; the checkpoint has what counts.
    private void ReachedWhereThereIsSpace(JobProgress progress)
    {
        try
        {
            Reached(progress);
        }
        catch (StorageFullException)
        {
            // The next checkpoint says that the disk is full, and waits.
        }
    }

    private void Report(JobEventBody body, JobProgress progress) => context.ReportAsync(body, progress.Fraction).GetAwaiter().GetResult();
}
