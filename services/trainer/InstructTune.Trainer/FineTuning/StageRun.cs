using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.Data;

namespace InstructTune.Trainer.FineTuning;

/// <summary>One stage of one job: its settings, its rows and everything that follows from them.</summary>
internal sealed class StageRun
{
    private readonly ulong _jobSeed;

    public StageRun(int index, StageSpec spec, StageData data, ulong jobSeed)
    {
        (Index, Spec, Data, _jobSeed) = (index, spec, data, jobSeed);
        Batches = new Batcher(new BatchPlan(
            data.Rows.Count, spec.BatchSize, spec.Epochs, spec.MaxSteps, StepSeed.Of(jobSeed, spec.StageId, 0, "order")));
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

    public Batcher Batches { get; }

    public LearningRateSchedule Schedule { get; }

    public OptimizerSettings Optimizer => OptimizerConstants.Settings(Spec);

    /// <summary>Null for no clipping.</summary>
    public double? MaxGradientNorm => Spec.MaxGradientNorm is > 0 ? Spec.MaxGradientNorm : null;

    public IEnumerable<TokenizedExample> Rows(long step) => Batches.Rows(step).Select(row => Data.Rows[row]);

    /// <summary>The seed of dropout in one forward pass.</summary>
    public StepSeed DropoutSeed(long step, int microBatch) => StepSeed.Of(_jobSeed, Spec.StageId, step, "dropout").Derive("micro-batch", microBatch);
}
