using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Trainer.FineTuning;
using Microsoft.Extensions.Options;

namespace InstructTune.Trainer.Estimation;

/// <summary>Estimates jobs before they run, from every pass they are going to make. Touches no tensor.</summary>
internal sealed class JobEstimator(
    StageReader reader, IArtifactStore artifacts, MeasuredSpeeds speeds, IOptions<TrainerOptions> options, IOptions<TorchOptions> torch)
{
    /// <summary>Reads the data of the job and goes through its steps.</summary>
    /// <exception cref="Jobs.JobFailedException">There is nothing to train on.</exception>
    public async Task<JobEstimate> EstimateAsync(FineTuneOrder order, CancellationToken ct)
    {
        var folder = (await artifacts.OpenAsync(order.BaseManifestSha256, ct)).Path;
        var config = ModelFolder.ReadConfig(folder);
        var runs = await reader.ReadAsync(order, folder, JobProgress.Start(order.Spec), ct);
        var threads = torch.Value.Threads > 0 ? torch.Value.Threads : Environment.ProcessorCount;
        var speed = new Lazy<ProcessorSpeed>(() => ProcessorSpeed.Measure(threads));
        return await Task.Run(() => Of(order.Spec, config, runs, speed, options.Value.AvailableBytes, speeds.FactorOf), ct);
    }

    /// <summary>Refuses what could not hold its weights, gradients and moments, whatever the data; anything else is for the worker to judge.</summary>
    /// <returns>Null where it may fit.</returns>
    public async Task<Jobs.JobFault?> MisfitAsync(FineTuneOrder order, CancellationToken ct)
    {
        if (await ConfigAsync(order.BaseManifestSha256, ct) is not { } config)
        {
            return null;
        }

        for (var i = 0; i < order.Spec.Stages.Count; i++)
        {
            var memory = new StageEstimator(config, order.Spec, i, halvings: 0).Memory;
            if (memory.PeakBytes(0) is var least && least > options.Value.AvailableBytes)
            {
                return StageEstimator.DoesNotFit(order.Spec.Stages[i].StageId, memory, 0, least, options.Value.AvailableBytes, Smaller(config, order.Spec, i));
            }
        }

        return null;
    }

    /// <param name="spec">The job.</param>
    /// <param name="config">The model.</param>
    /// <param name="runs">Its stages with their data.</param>
    /// <param name="speed">Of this processor, asked for where no like stage ran.</param>
    /// <param name="available">Bytes that training may take.</param>
    /// <param name="measured">What like stages took over what their work takes at <see cref="StageWork.Reference"/>; null where none ran here.</param>
    internal static JobEstimate Of(
        FineTuneSpec spec, LlamaConfig config, IReadOnlyList<StageRun> runs, Lazy<ProcessorSpeed> speed, long available, Func<string, double?>? measured = null)
    {
        var stages = runs.Select(run => Forecast(spec, config, run, speed, available, measured)).ToList();
        var remedies = stages.Where(stage => stage.PeakBytes > available)
            .SelectMany(stage => new StageEstimator(config, spec, stage.Run.Index, halvings: 0).Remedies(stage.Run, available)).ToList();
        return new JobEstimate(stages, available, Disk(spec, stages), remedies);
    }

    private static StageForecast Forecast(
        FineTuneSpec spec, LlamaConfig config, StageRun run, Lazy<ProcessorSpeed> speed, long available, Func<string, double?>? measured)
    {
        var estimator = new StageEstimator(config, spec, run.Index, halvings: 0);
        var memory = estimator.Memory;
        var (recomputes, activations, peak) = estimator.Peak(run, available);
        var factor = measured?.Invoke(StageWork.KindOf(spec, run.Spec, config, recomputes));
        var work = new StageWork(memory, recomputes, factor is null ? speed.Value : StageWork.Reference);
        var (seconds, tokens) = (0.0, 0L);
        foreach (var passes in estimator.Steps(run))
        {
            seconds += work.SecondsOf(passes);
            tokens += passes.Sum(rows => rows.Sum(row => (long)row.TrainedTokenCount));
        }

        return new StageForecast(run, memory, activations, peak, recomputes, tokens, seconds * (factor ?? 1)) { IsMeasured = factor is not null };
    }

    // Checkpoints hold what is trained and its moments: the newest ones, the last of each stage before, perhaps the best; then the result.
    private static long Disk(FineTuneSpec spec, IReadOnlyList<StageForecast> stages)
    {
        var checkpoint = stages.Max(stage => (sizeof(float) * stage.Memory.TrainableCount) + stage.Memory.OptimizerBytes);
        var kept = spec.CheckpointKeepLast + spec.Stages.Count - 1 + (spec.CheckpointKeepBest ? 1 : 0);
        return (kept * checkpoint) + (sizeof(float) * stages[^1].Memory.TrainableCount);
    }

    // Before the data is read: what weights, gradients and moments alone would take.
    private IReadOnlyList<Remedy> Smaller(LlamaConfig config, FineTuneSpec spec, int index) =>
    [
        .. SmallerSpecs.Of(spec, index)
            .Select(candidate => candidate.Remedy with { PeakBytes = new StageEstimator(config, candidate.Spec, index, halvings: 0).Memory.PeakBytes(0) })
            .Where(remedy => remedy.PeakBytes <= options.Value.AvailableBytes),
    ];

    /// <summary>The shape of a model; null where its files are not sound.</summary>
    public async Task<LlamaConfig?> ConfigAsync(string manifestSha256, CancellationToken ct)
    {
        try
        {
            return ModelFolder.ReadConfig((await artifacts.OpenAsync(manifestSha256, ct)).Path);
        }
        catch (Exception exception) when (exception is ArtifactCorruptException or ArtifactMissingException or ModelFormatException)
        {
            // The worker says what is wrong with the files.
            return null;
        }
    }
}
