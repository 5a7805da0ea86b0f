using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Estimation;

/// <summary>What one stage takes of memory, from every pass it is going to make.</summary>
internal sealed class StageEstimator
{
    private readonly LlamaConfig _config;
    private readonly FineTuneSpec _spec;
    private readonly int _index;
    private readonly int _halvings;

    public StageEstimator(LlamaConfig config, FineTuneSpec spec, int index, int halvings)
    {
        (_config, _spec, _index, _halvings) = (config, spec, index, halvings);
        Memory = new StageMemory(config, spec.MethodOf(Stage), spec.Precision, Stage.Optimizer, Stage.Beta1 > 0);
        Passes = new PassCut(Memory, halvings);
    }

    public StageMemory Memory { get; }

    public PassCut Passes { get; }

    private StageSpec Stage => _spec.Stages[_index];

    /// <summary>The passes of every step.</summary>
    public IEnumerable<IReadOnlyList<IReadOnlyList<TokenizedExample>>> Steps(StageRun run)
    {
        for (long step = 0; step < run.Batches.PlannedSteps; step++)
        {
            yield return Passes.Cut(run.Rows(step), Stage.MicroBatchSize);
        }
    }

    /// <summary>Whether layers are computed again, and the most that is taken then.</summary>
    public (bool Recomputes, long ActivationBytes, long PeakBytes) Peak(StageRun run, long availableBytes)
    {
        var recomputes = Stage.GradientCheckpointing ?? false;
        var (activations, peak) = PeakOf(run, recomputes);
        if (peak <= availableBytes || Stage.GradientCheckpointing is not null)
        {
            return (recomputes, activations, peak);
        }

        (activations, peak) = PeakOf(run, recomputes: true);
        return (true, activations, peak);
    }

    /// <summary>Whether layers must be computed again.</summary>
    /// <exception cref="JobFailedException">It does not fit, whatever is computed again.</exception>
    public bool RequireFit(StageRun run, long availableBytes)
    {
        var (recomputes, activations, peak) = Peak(run, availableBytes);
        return peak <= availableBytes ? recomputes : throw new JobFailedException(
            DoesNotFit(Stage.StageId, Memory, activations, peak, availableBytes, Remedies(run, availableBytes)));
    }

    public static JobFault DoesNotFit(
        string stageId, StageMemory memory, long activations, long peak, long available, IReadOnlyList<Remedy> remedies) => new(
        "MODEL_DOES_NOT_FIT",
        $"Stage {stageId} needs about {Mebibytes(peak)} MiB, of which {Mebibytes(memory.StateBytes)} MiB for weights, gradients and optimizer and "
            + $"{Mebibytes(activations)} MiB for its largest pass; there are {Mebibytes(available)} MiB. "
            + (remedies.Count == 0
                ? "No single change makes it fit: take a smaller model or a device with more memory."
                : "What would fit: " + string.Join("; ", remedies.Select(remedy => $"{remedy.FieldPath} {remedy.Value} ({Mebibytes(remedy.PeakBytes)} MiB)")) + "."),
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["limit_mebibytes"] = Mebibytes(available),
            ["peak_mebibytes"] = Mebibytes(peak),
            ["states_mebibytes"] = Mebibytes(memory.StateBytes),
        });

    /// <summary>Changes of the spec by which the stage fits, each by itself, those first that change the result least.</summary>
    public IReadOnlyList<Remedy> Remedies(StageRun run, long availableBytes) =>
        [.. SmallerSpecs.Of(_spec, _index).Select(candidate => candidate.Remedy with
        {
            PeakBytes = new StageEstimator(_config, candidate.Spec, _index, _halvings).Peak(run, availableBytes).PeakBytes,
        }).Where(remedy => remedy.PeakBytes <= availableBytes).DistinctBy(remedy => remedy.FieldPath)];

    private (long Activations, long Peak) PeakOf(StageRun run, bool recomputes)
    {
        var activations = Steps(run).SelectMany(passes => passes).Max(rows => Memory.ActivationBytes(rows, recomputes));
        return (activations, Memory.PeakBytes(activations));
    }

    private static string Mebibytes(long bytes) => (bytes >> 20).ToString(CultureInfo.InvariantCulture);
}
