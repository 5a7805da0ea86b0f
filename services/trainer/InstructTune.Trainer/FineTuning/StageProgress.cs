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

    /// <summary>Of the newest validation pass, on the first set.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Everything that pass measured, by the names that events have.</summary>
    public IReadOnlyDictionary<string, double> ValidationValues { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>The best value so far of the metric that decides.</summary>
    public double? BestValue { get; init; }

    /// <summary>What was measured with it.</summary>
    public IReadOnlyDictionary<string, double> BestValues { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>What the next value must beat, by the least improvement that counts, lest the stage end early.</summary>
    public double? PatienceValue { get; init; }

    /// <summary>Validation passes in a row that did not.</summary>
    public int PassesWithoutImprovement { get; init; }

    /// <summary>Step of the job that had it.</summary>
    public long BestStep { get; init; }

    /// <summary>Resource name of what took the place of training; empty where the stage is trained.</summary>
    public string ReusedCheckpoint { get; init; } = "";

    /// <summary>ID of the newest durable checkpoint of the stage.</summary>
    public string Checkpoint { get; init; } = "";

    /// <summary>ID of the durable checkpoint of the best step.</summary>
    public string BestCheckpoint { get; init; } = "";

    /// <summary>Steps without finite loss passed over in a row.</summary>
    public int SkippedInRow { get; init; }

    /// <summary>Steps in a row above the bound of the loss.</summary>
    public int AboveBoundInRow { get; init; }

    public bool IsComplete => PlannedSteps > 0 && CompletedSteps == PlannedSteps;
}

/// <summary>What the weights in training sit on.</summary>
/// <param name="ManifestSha256">Full weights in the artifact store.</param>
/// <param name="Adapters">Artifacts of frozen adapters on top, in order.</param>
internal sealed record Foundation(string ManifestSha256, IReadOnlyList<string> Adapters);

/// <summary>Where a job is: what its checkpoints carry and what the API shows.</summary>
internal sealed record JobProgress
{
    public required IReadOnlyList<StageProgress> Stages { get; init; }

    public IReadOnlyDictionary<string, string> Numerics { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Under the stage that was trained last; null before the first.</summary>
    public Foundation? Foundation { get; init; }

    /// <summary>
    /// Whether something that is no part of a stage's identity touched the bits: other numerics in the middle, or less memory. The stages then are
    /// for this job alone.
    /// </summary>
    public bool IsDisturbed { get; init; }

    /// <summary>The first stage that is not trained to its end; the number of stages where all are.</summary>
    public int NextStage => Stages.TakeWhile(stage => stage.IsComplete).Count();

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
