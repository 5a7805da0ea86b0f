namespace InstructTune.Trainer.FineTuning;

/// <summary>Where one stage is.</summary>
internal sealed record StageProgress
{
    public required string StageId { get; init; }

    public long CompletedSteps { get; init; }

    /// <summary>0 before the stage's data was read.</summary>
    public long PlannedSteps { get; init; }

    public double TrainingLoss { get; init; }

    public long TrainedTokens { get; init; }

    public IReadOnlyDictionary<string, long> DroppedExamples { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);
}

/// <summary>Where a job is: what its checkpoints carry and what the API shows.</summary>
internal sealed record JobProgress
{
    public required IReadOnlyList<StageProgress> Stages { get; init; }

    public IReadOnlyDictionary<string, string> Numerics { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Optimizer steps since the start of the job, across stages.</summary>
    public long CompletedSteps => Stages.Sum(stage => stage.CompletedSteps);

    /// <summary>Known once the data of every stage was read.</summary>
    public long PlannedSteps => Stages.Sum(stage => stage.PlannedSteps);

    public double Fraction => PlannedSteps == 0 ? 0 : (double)CompletedSteps / PlannedSteps;

    public static JobProgress Start(FineTuneSpec spec) =>
        new() { Stages = [.. spec.Stages.Select(stage => new StageProgress { StageId = stage.StageId })] };

    public JobProgress With(int stageIndex, Func<StageProgress, StageProgress> change)
    {
        var stages = Stages.ToArray();
        stages[stageIndex] = change(stages[stageIndex]);
        return this with { Stages = stages };
    }
}
