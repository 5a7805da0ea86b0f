using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.Data;

namespace InstructTune.Trainer.FineTuning;

/// <summary>One stage of one job: its settings, its rows and everything that follows from them.</summary>
internal sealed class StageRun
{
    private readonly ulong _jobSeed;

    /// <param name="index">Place of the stage in the job.</param>
    /// <param name="spec">Its settings.</param>
    /// <param name="data">What it trains on.</param>
    /// <param name="validation">What it is validated on; none for no validation.</param>
    /// <param name="jobSeed">The job's seed.</param>
    public StageRun(int index, StageSpec spec, StageData data, IReadOnlyList<StageData> validation, ulong jobSeed)
    {
        (Index, Spec, Data, Validation, _jobSeed) = (index, spec, data, validation, jobSeed);
        TrainingRows = spec.IsPacked ? Packed(data.Rows, spec, jobSeed) : data.Rows;
        Batches = new Batcher(new BatchPlan(
            TrainingRows.Count, spec.BatchSize, spec.Epochs, spec.MaxSteps, StepSeed.Of(jobSeed, spec.StageId, 0, "order"))
        {
            GroupedLengths = spec.GroupsByLength ? [.. TrainingRows.Select(row => row.Ids.Length)] : null,
        });
        var warmupSteps = spec.WarmupSteps ?? LearningRateSchedule.WarmupFromRatio(Batches.PlannedSteps, spec.WarmupRatio!.Value);
        Schedule = new LearningRateSchedule(spec.Schedule, spec.PeakLearningRate, Batches.PlannedSteps, warmupSteps, spec.MinLearningRateRatio)
        {
            DecaySteps = (long)Math.Ceiling(Batches.PlannedSteps * spec.DecayRatio),
        };
    }

    /// <summary>Place of the stage in the job.</summary>
    public int Index { get; }

    public StageSpec Spec { get; }

    public StageData Data { get; }

    /// <summary>The first of these decides what is best.</summary>
    public IReadOnlyList<StageData> Validation { get; }

    /// <summary>What prompts and answers are in tokens; only needed where answers are generated.</summary>
    public ExampleEncoder? Encoder { get; init; }

    /// <summary>What a batch is made of: rows of one example, or of several where the stage is packed.</summary>
    public IReadOnlyList<TokenizedExample> TrainingRows { get; }

    public Batcher Batches { get; }

    public LearningRateSchedule Schedule { get; }

    public OptimizerSettings Optimizer => OptimizerConstants.Settings(Spec);

    /// <summary>Null for no clipping.</summary>
    public double? MaxGradientNorm => Spec.MaxGradientNorm is > 0 ? Spec.MaxGradientNorm : null;

    /// <summary>Whether a validation pass follows this step, counted from 0.</summary>
    public bool IsValidationDue(long step)
    {
        var every = Spec.ValidationEverySteps > 0 ? Spec.ValidationEverySteps : Batches.StepsPerEpoch;
        return Validation.Count > 0 && (step + 1 == Batches.PlannedSteps || (step + 1) % every == 0);
    }

    public IEnumerable<TokenizedExample> Rows(long step) => Batches.Rows(step).Select(row => TrainingRows[row]);

    /// <summary>The seed of stochastic rounding.</summary>
    public StepSeed RoundingSeed => StepSeed.Of(_jobSeed, Spec.StageId, 0, "round");

    /// <summary>The seed of what is drawn in a step: dropout and noise.</summary>
    public StepSeed DropoutSeed(long step) => StepSeed.Of(_jobSeed, Spec.StageId, step, "dropout");

    // Shuffled first: what stands beside each other in the file often belongs together.
    private static IReadOnlyList<TokenizedExample> Packed(IReadOnlyList<TokenizedExample> rows, StageSpec spec, ulong jobSeed)
    {
        var order = SeededPermutation.Of(rows.Count, StepSeed.Of(jobSeed, spec.StageId, 0, "packing"));
        return [.. PackingPlan.Of([.. order.Select(row => rows[row].Ids.Length)], spec.MaxSequenceTokens)
            .Select(packed => TokenizedExample.Pack([.. packed.Select(place => rows[order[place]])]))];
    }
}
