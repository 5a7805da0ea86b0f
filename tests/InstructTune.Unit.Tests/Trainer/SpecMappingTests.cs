using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using InstructTune.Trainer.Api;
using InstructTune.V1;
using Types = InstructTune.V1.FineTuneSpec.Types;

namespace InstructTune.Unit.Tests.Trainer;

/// <summary>A completed spec goes through the domain and comes back as it was: nothing that was asked for is lost on the way.</summary>
public sealed class SpecMappingTests
{
    public static TheoryData<string> Variants => [.. Changes.Keys];

    // Every value of every choice, each in an otherwise equal spec.
    private static readonly Dictionary<string, Action<FineTuneSpec>> Changes = new(StringComparer.Ordinal)
    {
        ["as it is"] = _ => { },
        ["warm-up in steps"] = spec => spec.Stages[0].WarmupSteps = 7,
        ["checkpointed"] = spec => spec.Stages[0].GradientCheckpointing = true,
        ["not checkpointed"] = spec => spec.Stages[0].GradientCheckpointing = false,
        ["full"] = spec => spec.Method = new() { Full = new() },
        ["freeze"] = spec => spec.Method = new() { Freeze = new() { TrainableLastLayers = 2, TrainableModules = { "norm", @"layers\.0\..*" } } },
        ["qlora"] = spec => spec.Method = new() { Qlora = new() { Lora = Lora(), Quantization = Types.QloraMethod.Types.Quantization.Nf4, DoubleQuantization = false } },
        ["method of a stage"] = spec => spec.Stages[0].Method = new() { Lora = Lora() },
        ["mix"] = spec =>
        {
            spec.Stages[0].Dataset = "";
            spec.Stages[0].Mix = new DatasetMix
            {
                Seed = 3, Strategy = DatasetMix.Types.Strategy.InterleaveUntilAll, ExampleCount = 9,
                Components = { new DatasetMix.Types.Component { Version = "datasets/a", Weight = 0.25, AllowRepeats = true } },
            };
        },
    };

    static SpecMappingTests()
    {
        Each<Types.Schedule>((spec, value) => spec.Stages[0].Schedule = value);
        Each<Types.Optimizer.Types.Type>((spec, value) => spec.Stages[0].Optimizer.Type = value);
        Each<Truncation>((spec, value) => spec.Stages[0].Truncation = value);
        Each<LossScope>((spec, value) => spec.Stages[0].LossScope = value);
        Each<Types.Packing>((spec, value) => spec.Stages[0].Packing = value);
        Each<Types.StageTransition>((spec, value) => spec.Stages[0].Transition = value);
        Each<Types.Precision>((spec, value) => spec.Precision = value);
        Each<PromptBoundary>((spec, value) => spec.PromptBoundary = value);
        Each<Types.LoraMethod.Types.Initialization>((spec, value) => spec.Method.Lora.Initialization = value);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_completed_spec_comes_back_as_it_was(string variant)
    {
        var spec = Completed();
        Changes[variant](spec);
        Assert.Equal(JsonFormatter.Default.Format(spec), JsonFormatter.Default.Format(SpecMapping.ToProto(SpecMapping.ToDomain(spec))));
    }

    [Fact]
    public void No_field_of_a_stage_is_left_out_of_that()
    {
        var stage = Completed().Stages[0];
        string[] elsewhere = ["mix", "warmup_steps", "gradient_checkpointing", "method"];
        Assert.Empty(Types.Stage.Descriptor.Fields.InDeclarationOrder()
            .Where(field => !elsewhere.Contains(field.Name) && !IsSet(stage, field)).Select(field => field.Name));
    }

    private static bool IsSet(Types.Stage stage, Google.Protobuf.Reflection.FieldDescriptor field) => field.Accessor.GetValue(stage) switch
    {
        System.Collections.IList list => list.Count > 0,
        string text => text.Length > 0,
        null => false,
        var value => !value.Equals(Activator.CreateInstance(value.GetType())),
    };

    private static void Each<T>(Action<FineTuneSpec, T> set)
        where T : struct, System.Enum
    {
        // 0 asks for the default, which a completed spec spells out.
        foreach (var value in System.Enum.GetValues<T>().Where(value => Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture) != 0))
        {
            Changes[$"{typeof(T).Name} {value}"] = spec => set(spec, value);
        }
    }

    private static Types.LoraMethod Lora() => new()
    {
        Rank = 3, Alpha = 5, Dropout = 0.25, TargetModules = { "k_proj", "up_proj" }, RankStabilized = true, WeightDecomposed = true,
        Initialization = Types.LoraMethod.Types.Initialization.Gaussian, BLearningRateRatio = 4,
    };

    private static FineTuneSpec Completed() => new()
    {
        BaseModel = "models/b/versions/1",
        Method = new() { Lora = Lora() },
        Precision = Types.Precision.Bfloat16,
        Seed = 12,
        CheckpointPolicy = new() { EverySteps = 4, Every = Duration.FromTimeSpan(TimeSpan.FromSeconds(90)), KeepLast = 3, KeepBest = true, BestMetric = "rouge_l" },
        DisableStageReuse = true,
        DivergencePolicy = new() { MaxSkippedSteps = 1, LossBound = 8, PatienceSteps = 2 },
        MaxAttempts = 6,
        PromptFormat = "chatml",
        PromptBoundary = PromptBoundary.Joint,
        Stages =
        {
            new Types.Stage
            {
                StageId = "one", Dataset = "datasets/a/versions/1", MaxExamples = 40, Epochs = 1.5, MaxSteps = 30, BatchSize = 8, MicroBatchSize = 4, MaxSequenceTokens = 99,
                Truncation = Truncation.Drop, Packing = Types.Packing.BlockDiagonal, GroupByLength = true, LossScope = LossScope.LastResponse, PeakLearningRate = 1e-3,
                Schedule = Types.Schedule.Linear, WarmupRatio = 0.125, MinLearningRateRatio = 0.0625, DecayRatio = 0.5,
                Optimizer = new() { Type = Types.Optimizer.Types.Type.Lion, Beta1 = 0.75, Beta2 = 0.5, Epsilon = 1e-6 },
                WeightDecay = 0.01, MaxGradientNorm = 2, NeftuneAlpha = 5, Transition = Types.StageTransition.Stack, CarryOptimizerState = true,
                ValidationDatasets = { "datasets/v/versions/1" }, ValidationEverySteps = 7, ValidationMetrics = { "rouge_l" }, ValidationGenerateExamples = 11,
                EarlyStoppingPatience = 2, EarlyStoppingMinImprovement = 0.5,
            },
        },
    };
}
