using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;
using Types = InstructTune.V1.FineTuneSpec.Types;
using OptimizerType = InstructTune.V1.FineTuneSpec.Types.Optimizer.Types.Type;

namespace InstructTune.Trainer.Api;

/// <summary>Schedules and optimizers between the API and the domain.</summary>
internal static class OptimizerMapping
{
    public static ScheduleShape ToDomain(Types.Schedule schedule) => schedule switch
    {
        Types.Schedule.Linear => ScheduleShape.Linear,
        Types.Schedule.Constant => ScheduleShape.Constant,
        Types.Schedule.InverseSquareRoot => ScheduleShape.InverseSquareRoot,
        Types.Schedule.Polynomial => ScheduleShape.Polynomial,
        Types.Schedule.WarmupStableDecay => ScheduleShape.WarmupStableDecay,
        _ => ScheduleShape.Cosine,
    };

    public static Types.Schedule ToProto(ScheduleShape shape) => shape switch
    {
        ScheduleShape.Linear => Types.Schedule.Linear,
        ScheduleShape.Constant => Types.Schedule.Constant,
        ScheduleShape.InverseSquareRoot => Types.Schedule.InverseSquareRoot,
        ScheduleShape.Polynomial => Types.Schedule.Polynomial,
        ScheduleShape.WarmupStableDecay => Types.Schedule.WarmupStableDecay,
        ScheduleShape.Cosine => Types.Schedule.Cosine,
        _ => throw new InvalidOperationException($"{shape} is not in the API"),
    };

    public static OptimizerKind ToDomain(OptimizerType type) => type switch
    {
        OptimizerType.Adamw8Bit => OptimizerKind.AdamW8Bit,
        OptimizerType.Adafactor => OptimizerKind.Adafactor,
        OptimizerType.Lion => OptimizerKind.Lion,
        OptimizerType.Sgd => OptimizerKind.Sgd,
        _ => OptimizerKind.AdamW,
    };

    public static OptimizerType ToProto(OptimizerKind kind) => kind switch
    {
        OptimizerKind.AdamW8Bit => OptimizerType.Adamw8Bit,
        OptimizerKind.Adafactor => OptimizerType.Adafactor,
        OptimizerKind.Lion => OptimizerType.Lion,
        OptimizerKind.Sgd => OptimizerType.Sgd,
        _ => OptimizerType.Adamw,
    };
}
