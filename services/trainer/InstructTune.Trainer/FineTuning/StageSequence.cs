using System.Text;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Storage;
using InstructTune.Trainer.Checkpoints;
using InstructTune.Trainer.Estimation;
using InstructTune.Trainer.Publishing;
using InstructTune.Trainer.Reports;
using Microsoft.Extensions.Options;

namespace InstructTune.Trainer.FineTuning;

/// <summary>Trains the stages of a job one after the other, or takes over what an equal job has trained. Runs on the training thread.</summary>
internal sealed class StageSequence(
    ModelOpener opener,
    StageHandover handover,
    StageReuse reuse,
    CheckpointStore checkpoints,
    MeasuredSpeeds speeds,
    DeviceTurns turns,
    TimeProvider time,
    IOptions<TrainerOptions> options)
{
    /// <summary>Trains what is left and writes the result to <paramref name="resultFolder"/>. Returns where the job is then.</summary>
    public JobProgress Run(JobLog log, FineTuneOrder order, TrainingInput input, string resultFolder)
    {
        log.Phase("loading", input.Progress);
        var history = new RunLog(log.Folder, order.Spec, time);
        history.Restore(input.Restored.Folder);
        var writer = new CheckpointWriter(checkpoints, log, history, order.Spec, input.Restored, time, options.Value.StorageRetryInterval);
        if (input.Adopted is { } adopted)
        {
            history.Restore(adopted);
            AnnounceReused(log, JobProgress.Start(order.Spec), input.Progress);
        }

        var position = new Position(null, input.Restored.Folder ?? input.Adopted, input.Progress);
        try
        {
            while (position.Progress.NextStage is var index && index < order.Spec.Stages.Count)
            {
                var run = input.Stages.First(stage => stage.Index == index);
                position = FindOrClaim(log, order, input, position, index, history) ?? Train(log, order, input, position, run, writer, history);
            }

            position = position with { Model = position.Model ?? Open(order, position, order.Spec.Stages.Count - 1) };
            WriteResult(order, position, resultFolder);
            WriteCard(order, position.Progress, history, resultFolder);
            Describe(history, position.Model!, order);
            history.End(position.Progress);
            return position.Progress;
        }
        finally
        {
            position.Model?.Dispose();
        }
    }

    // Null where the stage is this job's to train.
    private Position? FindOrClaim(JobLog log, FineTuneOrder order, TrainingInput input, Position position, int index, RunLog history)
    {
        if (input.Identities.Count == 0 || position.Progress.Stages[index].CompletedSteps > 0)
        {
            return null;
        }

        if (reuse.FindOrClaim(log, order, input.Identities, index, position.Progress) is not { } found)
        {
            return null;
        }

        AnnounceReused(log, position.Progress, found.Progress);
        history.Restore(found.Folder);
        position.Model?.Dispose();
        return new Position(null, found.Folder, found.Progress);
    }

    private Position Train(JobLog log, FineTuneOrder order, TrainingInput input, Position position, StageRun run, CheckpointWriter writer, RunLog history)
    {
        var progress = position.Progress;
        var hasBegun = progress.Stages[run.Index].CompletedSteps > 0;
        var model = position.Model;
        if (hasBegun)
        {
            model ??= Open(order, position, run.Index);
        }
        else
        {
            var before = run.Index == 0 ? null : model ?? Open(order, position, run.Index - 1);
            (model, var foundation) = handover.Begin(order, run.Index, before, progress.Foundation);
            progress = progress with { Foundation = foundation };
        }

        try
        {
            var estimate = new StageEstimator(model.Config, order.Spec, run.Index, log.Job.OutOfMemoryRetries);
            model.RecomputesLayers = estimate.RequireFit(run, options.Value.AvailableBytes);
            log.Phase("training", progress);
            Describe(history, model, order);
            history.Begin();
            var clock = new StageClock(speeds, estimate.Memory, order.Spec, run.Spec, model.RecomputesLayers);
            progress = new StageRunner(model, estimate.Passes, log, writer, history, order.Spec, clock, turns, time).Run(run, progress, hasBegun ? position.Folder : CarriedMoments(order, run, position, writer));
        }
        catch
        {
            model.Dispose();
            throw;
        }

        if (input.Identities.Count > 0 && writer.Newest is { } checkpoint)
        {
            reuse.Offer(input.Identities[run.Index], log.Job.Id, checkpoint);
        }

        return new Position(model, null, progress);
    }

    private void Describe(RunLog history, TrainedModel model, FineTuneOrder order) =>
        history.Describe(model.ParameterCount - model.EmbeddingParameterCount, opener.ConfigOf(order.BaseManifestSha256));

    // Of the checkpoint that the stage before ended with, or of the one that the job starts from.
    private string? CarriedMoments(FineTuneOrder order, StageRun run, Position position, CheckpointWriter writer) =>
        !run.Spec.CarriesOptimizerState ? null
        : run.Index == 0 ? opener.FolderOf(order.OptimizerManifestSha256)
        : position.Folder ?? writer.Open(position.Progress.CompletedSteps);

    private TrainedModel Open(FineTuneOrder order, Position position, int stageIndex) =>
        opener.Open(order, stageIndex, position.Progress.Foundation!, position.Folder);

    private void WriteResult(FineTuneOrder order, Position position, string resultFolder)
    {
        var foundation = position.Progress.Foundation!;
        position.Model!.WriteResult(
            resultFolder, opener.FolderOf(foundation.ManifestSha256), [.. foundation.Adapters.Select(opener.FolderOf)]);
    }

    private void WriteCard(FineTuneOrder order, JobProgress progress, RunLog history, string resultFolder)
    {
        var format = JobFormat.Of(order.Spec, Tokenizer.Load(opener.FolderOf(order.BaseManifestSha256)));
        var facts = new CardFacts(order, progress, history.Rows, Lineage.Of(order, format.Sha256, progress.Numerics));
        AtomicFile.Write(Path.Combine(resultFolder, ModelCard.FileName), Encoding.UTF8.GetBytes(ModelCard.Render(facts)));
    }

    private static void AnnounceReused(JobLog log, JobProgress before, JobProgress after)
    {
        foreach (var (stage, earlier) in after.Stages.Zip(before.Stages))
        {
            if (stage.ReusedCheckpoint.Length > 0 && earlier.ReusedCheckpoint.Length == 0)
            {
                log.StageReused(stage, after);
            }
        }
    }

    /// <param name="Model">Open, at the end of the stage before or in the middle of one; null where it is to be opened from <paramref name="Folder"/>.</param>
    /// <param name="Folder">The checkpoint that the job goes on from; null for a start from the base, or where the model is open.</param>
    /// <param name="Progress">Where the job is.</param>
    private sealed record Position(TrainedModel? Model, string? Folder, JobProgress Progress);
}
