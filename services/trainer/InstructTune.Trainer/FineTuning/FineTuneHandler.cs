using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Storage;
using InstructTune.Trainer.Publishing;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// One attempt at a fine-tune job: restore, read the data, train the stages in order, publish the files. The result is the digest of their manifest.
/// </summary>
internal sealed class FineTuneHandler(
    AttemptFolder attempts,
    CheckpointRestorer restorer,
    StageReuse reuse,
    StageReader reader,
    ModelTraining training,
    IArtifactStore artifacts,
    JobExports exports,
    ResultRegistrar registrar)
    : IJobHandler
{
    public void Abandon() => training.Abandon();

    public async Task<string> RunAsync(JobContext context, CancellationToken ct)
    {
        var order = FineTuneOrder.Parse(context.Job.Spec);
        var log = new JobLog(context, attempts);
        var restored = restorer.Restore(log, order.Spec);
        var progress = Compared(log, restored, await training.NumericsAsync());

        log.Phase("validating", progress);
        var baseFolder = (await OpenBaseAsync(order, ct)).Path;
        var identities = IdentitiesOf(order, baseFolder, progress);
        var adopted = identities.Count == 0 || restored.Folder is not null ? null : reuse.Find(order, identities, 0, progress);
        progress = adopted?.Progress ?? progress;
        var stages = await reader.ReadAsync(order, baseFolder, progress, ct);
        progress = Planned(progress, stages);

        return await TrainAsync(log, order, new TrainingInput(restored, adopted?.Folder, stages, progress, identities), ct);
    }

    private async Task<string> TrainAsync(JobLog log, FineTuneOrder order, TrainingInput input, CancellationToken ct)
    {
        try
        {
            using var result = artifacts.CreateStaging();
            var progress = await training.RunAsync(log, order, input, result.Path);
            log.Reached(progress);
            log.Phase("publishing", progress);
            var published = (await artifacts.PublishAsync(result, ct)).Sha256;
            await exports.MakeAsync(log, order, published, progress, ct);
            return published;
        }
        catch (IOException exception) when (StorageFullException.Is(exception))
        {
            throw new JobFailedException(
                new JobFault("STORAGE_FULL", "The disk is full: the result cannot be written. Free some space and resume the job; its checkpoints are intact."), exception);
        }
    }

    /// <summary>The job is terminal or given back: a result becomes a model version.</summary>
    public Task EndedAsync(string jobId, CancellationToken ct) => registrar.EnsureAsync(jobId, ct);

    // Bits are promised only where the numerics stay as they were.
    private static JobProgress Compared(JobLog log, RestoredState restored, IReadOnlyDictionary<string, string> numerics)
    {
        var before = restored.Progress.Numerics;
        var hasChanged = restored.Folder is not null && NumericsFingerprint.ToText(before) != NumericsFingerprint.ToText(numerics);
        var progress = restored.Progress with
        {
            Numerics = numerics,
            IsDisturbed = restored.Progress.IsDisturbed || hasChanged || log.Job.OutOfMemoryRetries > 0,
        };
        if (hasChanged)
        {
            log.NumericsChanged(before, numerics, progress);
        }

        return progress;
    }

    private static IReadOnlyList<string> IdentitiesOf(FineTuneOrder order, string baseFolder, JobProgress progress) => order.Spec.DisableStageReuse || progress.IsDisturbed
        ? []
        : StageIdentity.Of(order, JobFormat.Of(order.Spec, Tokenizer.Load(baseFolder)).Sha256, progress.Numerics);

    private async Task<ArtifactFolder> OpenBaseAsync(FineTuneOrder order, CancellationToken ct)
    {
        try
        {
            return await artifacts.OpenAsync(order.BaseManifestSha256, ct);
        }
        catch (ArtifactCorruptException exception)
        {
            throw new JobFailedException(
                new JobFault("ARTIFACT_CORRUPT", exception.Message, new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["resource"] = order.BaseVersion,
                    ["file"] = exception.File,
                }),
                exception);
        }
    }

    private static JobProgress Planned(JobProgress progress, IReadOnlyList<StageRun> stages)
    {
        foreach (var run in stages)
        {
            progress = progress.With(run.Index, stage => stage with { PlannedSteps = run.Batches.PlannedSteps, DroppedExamples = run.Data.Dropped });
        }

        return progress;
    }
}
