using InstructTune.Trainer.FineTuning;
using Initialization = InstructTune.V1.FineTuneSpec.Types.LoraMethod.Types.Initialization;
using StageTransition = InstructTune.Trainer.FineTuning.StageTransition;
using Types = InstructTune.V1.FineTuneSpec.Types;

namespace InstructTune.Trainer.Api;

/// <summary>What is trained, and what becomes of it, between the API and the domain.</summary>
internal static class MethodMapping
{
    public static MethodSpec ToDomain(Types.TrainingMethod method) => new(
        method.Lora is { } lora ? ToDomain(lora)
        : method.Qlora is { } qlora ? ToDomain(qlora.Lora ?? new()) with { QuantizesBase = true, HasPlainScales = qlora is { HasDoubleQuantization: true, DoubleQuantization: false } }
        : null,
        method.Freeze is { } freeze ? new FreezeSpec(freeze.TrainableLastLayers, [.. freeze.TrainableModules]) : null);

    public static Types.TrainingMethod ToProto(MethodSpec method) => method.Lora switch
    {
        null when method.Freeze is { } freeze => new Types.TrainingMethod
        {
            Freeze = new Types.FreezeMethod { TrainableLastLayers = freeze.LastLayers, TrainableModules = { freeze.Modules } },
        },
        null => new Types.TrainingMethod { Full = new Types.FullMethod() },
        { QuantizesBase: true } lora => new Types.TrainingMethod
        {
            Qlora = new Types.QloraMethod
            {
                Lora = ToProto(lora), Quantization = Types.QloraMethod.Types.Quantization.Nf4, DoubleQuantization = !lora.HasPlainScales,
            },
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
        Start = lora.Initialization switch
        {
            Initialization.Gaussian => LoraStartKind.Gaussian,
            Initialization.Pissa => LoraStartKind.Pissa,
            _ => LoraStartKind.Kaiming,
        },
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
        Initialization = lora.Start switch
        {
            LoraStartKind.Gaussian => Initialization.Gaussian,
            LoraStartKind.Pissa => Initialization.Pissa,
            _ => Initialization.Kaiming,
        },
        BLearningRateRatio = lora.BRateRatio,
    };
}
