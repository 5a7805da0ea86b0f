using InstructTune.Modeling.Training;
using InstructTune.Trainer.Registry;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The base, as the registry describes it.</summary>
/// <param name="VersionName">What the spec pins.</param>
/// <param name="ManifestSha256">Of its files.</param>
/// <param name="ContextTokens">The longest row.</param>
/// <param name="Adapter">Where the base is an adapter.</param>
internal sealed record BaseFacts(string VersionName, string ManifestSha256, int ContextTokens, AdapterFacts? Adapter = null)
{
    /// <summary>What it is prompted with.</summary>
    public string PromptFormat { get; init; } = SpecCompletion.DefaultPromptFormat;
}

/// <summary>
/// Writes every default into a spec and pins the base and every dataset to a version, so that the same spec can be run again and give the
/// same weights. Pure.
/// </summary>
internal static class SpecCompletion
{
    public const string DefaultPromptFormat = "alpaca";
    public const int DefaultMaxAttempts = 5;

    private const int DefaultRank = 16;
    private const double DefaultCheckpointSeconds = 600;
    private const double DefaultWarmupRatio = 0.03;
    private const double DefaultDecayRatio = 0.1;
    private const int DefaultGenerateExamples = 100;
    private const int DefaultMaxSequenceTokens = 2048;
    private const int MaxDefaultMicroBatch = 16;
    private const int MinDefaultBatch = 4;
    private const int MaxDefaultBatch = 128;

    // A stage with default settings takes about this many steps an epoch.
    private const double DefaultStepsPerEpoch = 16;

    /// <summary>The linear layers of attention and MLP, in the order of a block.</summary>
    public static readonly IReadOnlyList<string> LinearModules =
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <param name="asked">The spec as asked for, valid.</param>
    /// <param name="baseModel">What <see cref="FineTuneSpec.BaseModel"/> names.</param>
    /// <param name="datasets">What the stages' datasets name, by stage, in order.</param>
    public static FineTuneSpec Complete(FineTuneSpec asked, BaseFacts baseModel, IReadOnlyList<DatasetFacts> datasets)
    {
        var spec = asked with
        {
            BaseModel = baseModel.VersionName,
            Lora = asked.Lora is null ? null : Complete(asked.Lora, asked.Stages[0].Transition is null or StageTransition.Continue ? baseModel.Adapter : null),
            CheckpointEverySteps = Or(asked.CheckpointEverySteps, 100),
            CheckpointKeepLast = Or(asked.CheckpointKeepLast, 2),
            CheckpointEverySeconds = asked.CheckpointEverySeconds == 0 ? DefaultCheckpointSeconds : asked.CheckpointEverySeconds,
            MaxAttempts = Or(asked.MaxAttempts, DefaultMaxAttempts),
            BestMetric = asked.BestMetric.Length == 0 ? ValidationMetric.Loss : asked.BestMetric,
            PromptFormat = asked.PromptFormat.Length == 0 ? baseModel.PromptFormat : asked.PromptFormat,
        };
        spec = spec with { Stages = [.. asked.Stages.Zip(datasets, (stage, dataset) => Complete(stage, dataset, baseModel, spec))] };
        return StageTransitions.Complete(spec, baseModel.Adapter);
    }

    /// <summary>The power of two nearest to a sixteenth of the examples, from 4 to 128; of two equally near, the smaller.</summary>
    public static int DefaultBatchSize(long exampleCount)
    {
        var wanted = exampleCount / DefaultStepsPerEpoch;
        var best = MinDefaultBatch;
        for (var size = MinDefaultBatch * 2; size <= MaxDefaultBatch; size *= 2)
        {
            if (Math.Abs(size - wanted) < Math.Abs(best - wanted))
            {
                best = size;
            }
        }

        return best;
    }

    private static StageSpec Complete(StageSpec stage, DatasetFacts dataset, BaseFacts baseModel, FineTuneSpec spec)
    {
        var isLora = spec.LoraOf(stage) is not null;
        var exampleCount = stage.MaxExamples == 0 ? dataset.ExampleCount : Math.Min(stage.MaxExamples, dataset.ExampleCount);
        var batchSize = Or(stage.BatchSize, DefaultBatchSize(exampleCount));
        return OptimizerConstants.Complete(stage) with
        {
            Dataset = dataset.VersionName,
            Mix = stage.Mix is not { } mix ? null
                : mix with { Components = [.. mix.Components.Zip(dataset.Components, (component, facts) => component with { Version = facts.VersionName })] },
            MaxExamples = exampleCount,
            Epochs = stage.Epochs == 0 ? 3 : stage.Epochs,
            BatchSize = batchSize,
            MicroBatchSize = Or(stage.MicroBatchSize, DefaultMicroBatchSize(batchSize)),
            MaxSequenceTokens = Or(stage.MaxSequenceTokens, Math.Min(DefaultMaxSequenceTokens, baseModel.ContextTokens)),
            PeakLearningRate = stage.PeakLearningRate != 0 ? stage.PeakLearningRate : isLora ? 2e-4 : 2e-5,
            WarmupRatio = stage.WarmupSteps is null ? stage.WarmupRatio ?? DefaultWarmupRatio : null,
            DecayRatio = stage.Schedule != ScheduleShape.WarmupStableDecay ? 0 : stage.DecayRatio == 0 ? DefaultDecayRatio : stage.DecayRatio,
            MaxGradientNorm = stage.MaxGradientNorm ?? 1,
            Method = stage.Method is { Lora: { } lora } ? new MethodSpec(Complete(lora, null)) : stage.Method,
            ValidationGenerateExamples = stage.ValidationMetrics.Count == 0 ? 0 : Or(stage.ValidationGenerateExamples, DefaultGenerateExamples),
        };
    }

    /// <summary>An adapter with every default.</summary>
    public static LoraSpec Complete(LoraSpec lora) => Complete(lora, null);

    // An adapter that is trained on says what it is where the request does not.
    private static LoraSpec Complete(LoraSpec lora, AdapterFacts? trainedOn)
    {
        var rank = Or(lora.Rank, trainedOn?.Rank ?? DefaultRank);
        var targets = lora.TargetModules.Count == 0 ? trainedOn?.TargetModules ?? LinearModules : lora.TargetModules;
        return lora with
        {
            Rank = rank,
            Alpha = lora.Alpha == 0 ? trainedOn?.Alpha ?? 2 * rank : lora.Alpha,
            RankStabilized = lora.RankStabilized || trainedOn is { RankStabilized: true },
            WeightDecomposed = lora.WeightDecomposed || trainedOn is { WeightDecomposed: true },
            TargetModules = [.. LinearModules.Where(targets.Contains)],
            BRateRatio = lora.BRateRatio == 0 ? 1 : lora.BRateRatio,
        };
    }

    private static int DefaultMicroBatchSize(int batchSize)
    {
        var size = Math.Min(batchSize, MaxDefaultMicroBatch);
        while (batchSize % size != 0)
        {
            size--;
        }

        return size;
    }

    private static int Or(int asked, int standard) => asked == 0 ? standard : asked;
}
