using Google.Protobuf.WellKnownTypes;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;
using InstructTune.V1;
using Types = InstructTune.V1.FineTuneSpec.Types;

namespace InstructTune.Trainer.Api;

/// <summary>Specs between the API and the domain.</summary>
internal static class SpecMapping
{
    public static FineTuning.FineTuneSpec ToDomain(V1.FineTuneSpec spec) => new()
    {
        BaseModel = spec.BaseModel,
        Stages = [.. spec.Stages.Select(ToDomain)],
        Lora = spec.Method is null ? new LoraSpec() : MethodMapping.ToDomain(spec.Method).Lora,
        Freeze = spec.Method is null ? null : MethodMapping.ToDomain(spec.Method).Freeze,
        Precision = spec.Precision switch
        {
            Types.Precision.Bfloat16 => TrainingPrecision.Bfloat16,
            Types.Precision.PureBfloat16 => TrainingPrecision.PureBfloat16,
            _ => TrainingPrecision.Float32,
        },
        Seed = spec.Seed,
        CheckpointEverySteps = spec.CheckpointPolicy?.EverySteps ?? 0,
        CheckpointKeepLast = spec.CheckpointPolicy?.KeepLast ?? 0,
        CheckpointEverySeconds = spec.CheckpointPolicy?.Every?.ToTimeSpan().TotalSeconds ?? 0,
        CheckpointKeepBest = spec.CheckpointPolicy?.KeepBest ?? false,
        BestMetric = spec.CheckpointPolicy?.BestMetric ?? "",
        DisableStageReuse = spec.DisableStageReuse,
        Divergence = spec.DivergencePolicy is { } policy
            ? new DivergenceSpec(policy.MaxSkippedSteps, policy.LossBound, policy.PatienceSteps)
            : new DivergenceSpec(),
        MaxAttempts = spec.MaxAttempts,
        PromptFormat = spec.PromptFormat,
        PromptBoundary = spec.PromptBoundary == V1.PromptBoundary.Joint ? Modeling.Prompts.PromptBoundary.Joint : Modeling.Prompts.PromptBoundary.Split,
    };

    public static V1.FineTuneSpec ToProto(FineTuning.FineTuneSpec spec) => new()
    {
        BaseModel = spec.BaseModel,
        Stages = { spec.Stages.Select(ToProto) },
        Method = MethodMapping.ToProto(new MethodSpec(spec.Lora, spec.Freeze)),
        Precision = spec.Precision switch
        {
            TrainingPrecision.Bfloat16 => Types.Precision.Bfloat16,
            TrainingPrecision.PureBfloat16 => Types.Precision.PureBfloat16,
            _ => Types.Precision.Float32,
        },
        Seed = spec.Seed,
        CheckpointPolicy = new Types.CheckpointPolicy
        {
            EverySteps = spec.CheckpointEverySteps,
            Every = Duration.FromTimeSpan(TimeSpan.FromSeconds(spec.CheckpointEverySeconds)),
            KeepLast = spec.CheckpointKeepLast,
            KeepBest = spec.CheckpointKeepBest,
            BestMetric = spec.BestMetric,
        },
        DisableStageReuse = spec.DisableStageReuse,
        DivergencePolicy = new Types.DivergencePolicy
        {
            MaxSkippedSteps = spec.Divergence.MaxSkippedSteps,
            LossBound = spec.Divergence.LossBound,
            PatienceSteps = spec.Divergence.PatienceSteps,
        },
        MaxAttempts = spec.MaxAttempts,
        PromptFormat = spec.PromptFormat,
        PromptBoundary = spec.PromptBoundary == Modeling.Prompts.PromptBoundary.Joint ? V1.PromptBoundary.Joint : V1.PromptBoundary.Split,
    };

    private static StageSpec ToDomain(Types.Stage stage) => new()
    {
        StageId = stage.StageId,
        Dataset = stage.Dataset,
        Mix = stage.Mix is null ? null : MixMapping.ToDomain(stage.Mix),
        MaxExamples = stage.MaxExamples,
        Epochs = stage.Epochs,
        MaxSteps = stage.MaxSteps,
        BatchSize = stage.BatchSize,
        MicroBatchSize = stage.MicroBatchSize,
        MaxSequenceTokens = stage.MaxSequenceTokens,
        Truncation = stage.Truncation switch
        {
            Truncation.End => TruncationRule.End,
            Truncation.Drop => TruncationRule.Drop,
            Truncation.Proportional => TruncationRule.Proportional,
            Truncation.Fail => TruncationRule.Fail,
            _ => TruncationRule.PromptStart,
        },
        IsPacked = stage.Packing == Types.Packing.BlockDiagonal,
        GroupsByLength = stage.GroupByLength,
        LossScope = stage.LossScope switch
        {
            LossScope.AllTokens => LossTokens.All,
            LossScope.LastResponse => LossTokens.LastResponse,
            _ => LossTokens.Response,
        },
        PeakLearningRate = stage.PeakLearningRate,
        Schedule = OptimizerMapping.ToDomain(stage.Schedule),
        WarmupSteps = stage.HasWarmupSteps ? stage.WarmupSteps : null,
        WarmupRatio = stage.HasWarmupRatio ? stage.WarmupRatio : null,
        MinLearningRateRatio = stage.MinLearningRateRatio,
        DecayRatio = stage.DecayRatio,
        Optimizer = OptimizerMapping.ToDomain(stage.Optimizer?.Type ?? Types.Optimizer.Types.Type.Unspecified),
        Beta1 = stage.Optimizer is { HasBeta1: true } ? stage.Optimizer.Beta1 : null,
        Beta2 = stage.Optimizer is { HasBeta2: true } ? stage.Optimizer.Beta2 : null,
        Epsilon = stage.Optimizer is { HasEpsilon: true } ? stage.Optimizer.Epsilon : null,
        WeightDecay = stage.WeightDecay,
        MaxGradientNorm = stage.HasMaxGradientNorm ? stage.MaxGradientNorm : null,
        NeftuneAlpha = stage.NeftuneAlpha,
        GradientCheckpointing = stage.HasGradientCheckpointing ? stage.GradientCheckpointing : null,
        Method = stage.Method is null ? null : MethodMapping.ToDomain(stage.Method),
        Transition = MethodMapping.ToDomain(stage.Transition),
        CarriesOptimizerState = stage.CarryOptimizerState,
        ValidationDatasets = [.. stage.ValidationDatasets],
        ValidationEverySteps = stage.ValidationEverySteps,
        ValidationMetrics = [.. stage.ValidationMetrics],
        ValidationGenerateExamples = stage.ValidationGenerateExamples,
        EarlyStoppingPatience = stage.EarlyStoppingPatience,
        EarlyStoppingMinImprovement = stage.EarlyStoppingMinImprovement,
    };

    private static Types.Stage ToProto(StageSpec stage)
    {
        var proto = new Types.Stage
        {
            StageId = stage.StageId,
            Dataset = stage.Dataset,
            Mix = stage.Mix is null ? null : MixMapping.ToProto(stage.Mix),
            MaxExamples = stage.MaxExamples,
            Epochs = stage.Epochs,
            MaxSteps = stage.MaxSteps,
            BatchSize = stage.BatchSize,
            MicroBatchSize = stage.MicroBatchSize,
            MaxSequenceTokens = stage.MaxSequenceTokens,
            Truncation = ToProto(stage.Truncation),
            Packing = stage.IsPacked ? Types.Packing.BlockDiagonal : Types.Packing.None,
            GroupByLength = stage.GroupsByLength,
            LossScope = stage.LossScope switch
            {
                LossTokens.All => LossScope.AllTokens,
                LossTokens.LastResponse => LossScope.LastResponse,
                _ => LossScope.Response,
            },
            PeakLearningRate = stage.PeakLearningRate,
            Schedule = OptimizerMapping.ToProto(stage.Schedule),
            MinLearningRateRatio = stage.MinLearningRateRatio,
            DecayRatio = stage.DecayRatio,
            Optimizer = new Types.Optimizer
            {
                Type = OptimizerMapping.ToProto(stage.Optimizer),
                Beta1 = stage.Beta1!.Value,
                Beta2 = stage.Beta2!.Value,
                Epsilon = stage.Epsilon!.Value,
            },
            WeightDecay = stage.WeightDecay,
            MaxGradientNorm = stage.MaxGradientNorm!.Value,
            NeftuneAlpha = stage.NeftuneAlpha,
            Method = stage.Method is null ? null : MethodMapping.ToProto(stage.Method),
            Transition = MethodMapping.ToProto(stage.Transition),
            CarryOptimizerState = stage.CarriesOptimizerState,
            ValidationDatasets = { stage.ValidationDatasets },
            ValidationEverySteps = (int)stage.ValidationEverySteps,
            ValidationMetrics = { stage.ValidationMetrics },
            ValidationGenerateExamples = stage.ValidationGenerateExamples,
            EarlyStoppingPatience = stage.EarlyStoppingPatience,
            EarlyStoppingMinImprovement = stage.EarlyStoppingMinImprovement,
        };
        if (stage.GradientCheckpointing is { } checkpoints)
        {
            proto.GradientCheckpointing = checkpoints;
        }

        if (stage.WarmupSteps is { } steps)
        {
            proto.WarmupSteps = steps;
        }
        else
        {
            proto.WarmupRatio = stage.WarmupRatio!.Value;
        }

        return proto;
    }

    private static Truncation ToProto(TruncationRule rule) => rule switch
    {
        TruncationRule.End => Truncation.End,
        TruncationRule.Drop => Truncation.Drop,
        TruncationRule.Proportional => Truncation.Proportional,
        TruncationRule.Fail => Truncation.Fail,
        _ => Truncation.PromptStart,
    };
}
