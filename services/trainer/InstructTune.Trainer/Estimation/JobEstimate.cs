using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Estimation;

/// <summary>What a job will take.</summary>
internal sealed record JobEstimate(IReadOnlyList<StageForecast> Stages, long AvailableBytes, long DiskBytes, IReadOnlyList<Remedy> Remedies)
{
    public long PeakBytes => Stages.Max(stage => stage.PeakBytes);

    public bool Fits => PeakBytes <= AvailableBytes;

    /// <summary>Whether the time of every stage rests on measurements.</summary>
    public bool IsMeasured => Stages.All(stage => stage.IsMeasured);
}

/// <summary>What a stage will take.</summary>
/// <param name="Run">The stage with its data.</param>
/// <param name="Memory">States, by part.</param>
/// <param name="ActivationBytes">Of its largest pass.</param>
/// <param name="PeakBytes">Of everything.</param>
/// <param name="Recomputes">Whether layers are computed again on the way back.</param>
/// <param name="TrainedTokens">Of all steps.</param>
/// <param name="Seconds">Without loading, validation and checkpoints.</param>
internal sealed record StageForecast(
    StageRun Run, StageMemory Memory, long ActivationBytes, long PeakBytes, bool Recomputes, long TrainedTokens, double Seconds)
{
    /// <summary>Whether the time rests on stages of the same kind that ran here.</summary>
    public bool IsMeasured { get; init; }
}
