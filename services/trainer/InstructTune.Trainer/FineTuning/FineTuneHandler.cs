using InstructTune.Jobs;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Training;
using InstructTune.Storage;
using InstructTune.Trainer.Data;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// One attempt at a fine-tune job: read the data, restore, train the stages in order, publish the files. The result is the digest of their manifest.
/// </summary>
internal sealed class FineTuneHandler(
    AttemptFolder attempts, CheckpointRestorer restorer, StageLoader loader, ModelTraining training, IArtifactStore artifacts, ResultRegistrar registrar)
    : IJobHandler
{
    public async Task<string> RunAsync(JobContext context, CancellationToken ct)
    {
        var order = FineTuneOrder.Parse(context.Job.Spec);
        var log = new JobLog(context, attempts);
        var restored = restorer.Restore(log, order.Spec);
        var progress = restored.Progress with { Numerics = NumericsFingerprint.Current() };

        log.Phase("validating", progress);
        var baseFolder = (await OpenBaseAsync(order, ct)).Path;
        var stages = await LoadStagesAsync(order, baseFolder, progress, ct);
        progress = Planned(progress, stages);

        using var result = artifacts.CreateStaging();
        await training.RunAsync(log, order, new TrainingInput(baseFolder, restored, stages, progress), result.Path);
        log.Phase("publishing", progress with { Stages = [.. progress.Stages.Select(stage => stage with { CompletedSteps = stage.PlannedSteps })] });
        return (await artifacts.PublishAsync(result, ct)).Sha256;
    }

    /// <summary>The job is terminal or given back: a result becomes a model version.</summary>
    public Task EndedAsync(string jobId, CancellationToken ct) => registrar.EnsureAsync(jobId, ct);

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
                    ["resource"] = order.Spec.BaseModel,
                    ["file"] = exception.File,
                }),
                exception);
        }
    }

    private async Task<IReadOnlyList<StageRun>> LoadStagesAsync(FineTuneOrder order, string baseFolder, JobProgress progress, CancellationToken ct)
    {
        var spec = order.Spec;
        var tokenizer = Tokenizer.Load(baseFolder);
        var prompts = new PromptEncoder(PromptFormat.Get(spec.PromptFormat), tokenizer);
        var runs = new List<StageRun>();
        for (var i = 0; i < spec.Stages.Count; i++)
        {
            var stage = spec.Stages[i];
            if (progress.Stages[i] is { PlannedSteps: > 0 } done && done.CompletedSteps == done.PlannedSteps)
            {
                continue;
            }

            var encoder = new ExampleEncoder(prompts, tokenizer, new SequenceLimit(stage.MaxSequenceTokens, stage.Truncation, stage.LossScope));
            runs.Add(new StageRun(i, stage, await loader.LoadAsync(stage, order.Datasets[i], spec.Seed, encoder, ct), spec.Seed));
        }

        return runs;
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
