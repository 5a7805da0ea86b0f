using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Training;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// Everything that determines the result. As asked for, zeros and nulls stand for defaults; <see cref="SpecCompletion"/> leaves none of
/// them.
/// </summary>
internal sealed record FineTuneSpec
{
    public required string BaseModel { get; init; }

    public required IReadOnlyList<StageSpec> Stages { get; init; }

    /// <summary>Null for weights of the model itself.</summary>
    public LoraSpec? Lora { get; init; }

    /// <summary>Where weights of the model itself are trained: which; null for all.</summary>
    public FreezeSpec? Freeze { get; init; }

    public TrainingPrecision Precision { get; init; }

    public ulong Seed { get; init; }

    public int CheckpointEverySteps { get; init; }

    public int CheckpointKeepLast { get; init; }

    /// <summary>Also after this much time; changes no weight.</summary>
    public double CheckpointEverySeconds { get; init; }

    /// <summary>Whether stages with validation end with their best weights in place of the last.</summary>
    public bool CheckpointKeepBest { get; init; }

    /// <summary>What decides which checkpoint is best: <see cref="ValidationMetric.Loss"/> or a metric of generated answers.</summary>
    public string BestMetric { get; init; } = "";

    /// <summary>Train every stage, also where an equal one was trained before.</summary>
    public bool DisableStageReuse { get; init; }

    public DivergenceSpec Divergence { get; init; } = new();

    public int MaxAttempts { get; init; }

    public string PromptFormat { get; init; } = "";

    public PromptBoundary PromptBoundary { get; init; }

    /// <summary>What a stage trains.</summary>
    public MethodSpec MethodOf(StageSpec stage) => stage.Method ?? new MethodSpec(Lora, Freeze);

    /// <summary>The adapter that a stage trains; null for weights of the model itself.</summary>
    public LoraSpec? LoraOf(StageSpec stage) => MethodOf(stage).Lora;
}

/// <summary>When a run counts as diverged.</summary>
/// <param name="MaxSkippedSteps">Steps in a row without finite loss and gradient that are passed over.</param>
/// <param name="LossBound">In nats per token; 0 for none.</param>
/// <param name="PatienceSteps">Steps in a row above the bound; 0 means 1.</param>
internal sealed record DivergenceSpec(int MaxSkippedSteps = 0, double LossBound = 0, int PatienceSteps = 0);

/// <summary>What becomes of the weights that were trained before a stage.</summary>
internal enum StageTransition
{
    /// <summary>They are trained on.</summary>
    Continue,

    /// <summary>They become the base of the stage.</summary>
    MergeThenNew,

    /// <summary>The adapter stays as it is, under a new one.</summary>
    Stack,
}

/// <summary>One or more passes over one dataset, or a mix, with one set of hyper-parameters.</summary>
internal sealed record StageSpec
{
    public required string StageId { get; init; }

    /// <summary>Empty where the stage has a mix.</summary>
    public required string Dataset { get; init; }

    public MixSpec? Mix { get; init; }

    public long MaxExamples { get; init; }

    public double Epochs { get; init; }

    public long MaxSteps { get; init; }

    public int BatchSize { get; init; }

    public int MicroBatchSize { get; init; }

    public int MaxSequenceTokens { get; init; }

    public TruncationRule Truncation { get; init; }

    /// <summary>Whether several examples share a row, without seeing each other.</summary>
    public bool IsPacked { get; init; }

    /// <summary>Whether batches are made of examples of like length.</summary>
    public bool GroupsByLength { get; init; }

    public LossTokens LossScope { get; init; }

    public double PeakLearningRate { get; init; }

    public ScheduleShape Schedule { get; init; }

    /// <summary>At most one of this and <see cref="WarmupRatio"/> is set.</summary>
    public int? WarmupSteps { get; init; }

    public double? WarmupRatio { get; init; }

    public double MinLearningRateRatio { get; init; }

    /// <summary>Of the steps of the stage, for <see cref="ScheduleShape.WarmupStableDecay"/> only.</summary>
    public double DecayRatio { get; init; }

    public OptimizerKind Optimizer { get; init; }

    public double? Beta1 { get; init; }

    public double? Beta2 { get; init; }

    public double? Epsilon { get; init; }

    public double WeightDecay { get; init; }

    /// <summary>0 for no clipping.</summary>
    public double? MaxGradientNorm { get; init; }

    /// <summary>Whether layers are computed again on the way back; null for when it is needed. Changes no bit.</summary>
    public bool? GradientCheckpointing { get; init; }

    /// <summary>Null for the spec's.</summary>
    public MethodSpec? Method { get; init; }

    /// <summary>Null where there is nothing to pass on: in the first stage on full weights.</summary>
    public StageTransition? Transition { get; init; }

    /// <summary>Go on with the moments of the stage before, or of the checkpoint that the job starts from.</summary>
    public bool CarriesOptimizerState { get; init; }

    /// <summary>Noise on embeddings in training (NEFTune); 0 for none.</summary>
    public double NeftuneAlpha { get; init; }

    /// <summary>The first decides what is best.</summary>
    public IReadOnlyList<string> ValidationDatasets { get; init; } = [];

    /// <summary>0 for each epoch's end.</summary>
    public long ValidationEverySteps { get; init; }

    /// <summary>Of generated answers, beside the loss.</summary>
    public IReadOnlyList<string> ValidationMetrics { get; init; } = [];

    /// <summary>Of each set; 0 where no metric is asked for.</summary>
    public int ValidationGenerateExamples { get; init; }

    /// <summary>Validation passes without a better value after which the stage ends; 0 for never.</summary>
    public int EarlyStoppingPatience { get; init; }

    /// <summary>How much better counts as better for that.</summary>
    public double EarlyStoppingMinImprovement { get; init; }
}
