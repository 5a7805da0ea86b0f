using InstructTune.Trainer.FineTuning;
using StageTransition = InstructTune.Trainer.FineTuning.StageTransition;
using Types = InstructTune.V1.FineTuneSpec.Types;

namespace InstructTune.Trainer.Api;

/// <summary>What is trained, and what becomes of it, between the API and the domain.</summary>
internal static class MethodMapping
{
    public static MethodSpec ToDomain(Types.TrainingMethod method) => new(
        method.Lora is { } lora ? ToDomain(lora)
        : method.Qlora is { } qlora ? ToDomain(qlora.Lora ?? new()) with { QuantizesBase = true }
        : null);

    public static Types.TrainingMethod ToProto(MethodSpec method) => method.Lora switch
    {
        null => new Types.TrainingMethod { Full = new Types.FullMethod() },
        { QuantizesBase: true } lora => new Types.TrainingMethod
        {
            Qlora = new Types.QloraMethod { Lora = ToProto(lora), Quantization = Types.QloraMethod.Types.Quantization.Nf4 },
        },
        var lora => new Types.TrainingMethod { Lora = ToProto(lora) },
    };

    public static StageTransition? ToDomain(Types.StageTransition transition) => transition switch
    {
        Types.StageTransition.Continue => StageTransition.Continue,
        Types.StageTransition.MergeThenNew => StageTransition.MergeThenNew,
        Types.StageTransition.Stack => StageTransition.Stack,
        _ => null,
    };

    public static Types.StageTransition ToProto(StageTransition? transition) => transition switch
    {
        StageTransition.Continue => Types.StageTransition.Continue,
        StageTransition.MergeThenNew => Types.StageTransition.MergeThenNew,
        StageTransition.Stack => Types.StageTransition.Stack,
        _ => Types.StageTransition.Unspecified,
    };

    private static LoraSpec ToDomain(Types.LoraMethod lora) => new()
    {
        Rank = lora.Rank,
        Alpha = lora.Alpha,
        Dropout = lora.Dropout,
        TargetModules = [.. lora.TargetModules],
        RankStabilized = lora.RankStabilized,
        WeightDecomposed = lora.WeightDecomposed,
        BRateRatio = lora.BLearningRateRatio,
    };

    private static Types.LoraMethod ToProto(LoraSpec lora) => new()
    {
        Rank = lora.Rank,
        Alpha = lora.Alpha,
        Dropout = lora.Dropout,
        TargetModules = { lora.TargetModules },
        RankStabilized = lora.RankStabilized,
        WeightDecomposed = lora.WeightDecomposed,
        BLearningRateRatio = lora.BRateRatio,
    };
}
