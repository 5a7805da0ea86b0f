using InstructTune.V1;
using Stage = InstructTune.V1.FineTuneSpec.Types.Stage;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Cli.Demo;

/// <summary>
/// How both arms are trained and marked. The specialist stage of both is the same, to the seed: the arms differ in the generalist
/// stage alone.
/// </summary>
internal sealed record DemoPlan
{
    // Above this, full training and its optimizer state take more memory and time than a demonstration may.
    private const long LargestFullParameters = 50_000_000;

    public required TrainingMethod Method { get; init; }

    public required Stage Generalist { get; init; }

    public required Stage Specialist { get; init; }

    public required IReadOnlyList<string> Metrics { get; init; }

    public required long MaxTestExamples { get; init; }

    public required int MaxOutputTokens { get; init; }

    /// <summary>Trainings of each arm. One cannot tell what the way to train does from what its seed does.</summary>
    public required int SeedCount { get; init; }

    /// <summary>For the world base: a model of a few million parameters and rows of at most about a hundred tokens.</summary>
    public static DemoPlan Synthetic(bool isQuick = false) => new()
    {
        Method = new TrainingMethod { Full = new() },
        Generalist = SyntheticStage("generalist", isQuick ? 1 : 2, batchSize: 32, rate: 1e-3),
        Specialist = SyntheticStage("specialist", isQuick ? 1 : 24, batchSize: 16, rate: 7e-4),
        Metrics = ["rougeL", "em", "acc"],
        MaxTestExamples = 0,
        MaxOutputTokens = 16,
        SeedCount = isQuick ? 1 : 3,
    };

    /// <summary>For real instructions, as many as minutes on a CPU allow.</summary>
    public static DemoPlan Real(long parameterCount)
    {
        var isSmall = parameterCount <= LargestFullParameters;
        var rate = isSmall ? 5e-4 : 2e-4;
        return new DemoPlan
        {
            Method = isSmall ? new TrainingMethod { Full = new() } : new TrainingMethod { Lora = new() },
            Generalist = new Stage
            {
                StageId = "generalist", Epochs = 1, BatchSize = 16, PeakLearningRate = rate, MaxSequenceTokens = 256, MaxExamples = isSmall ? 192 : 32,
            },
            Specialist = new Stage
            {
                StageId = "specialist", Epochs = 2, BatchSize = 16, PeakLearningRate = rate, MaxSequenceTokens = 384, MaxExamples = isSmall ? 256 : 48,
            },
            Metrics = ["rougeL", "em"],
            MaxTestExamples = isSmall ? 120 : 40,
            MaxOutputTokens = 24,
            SeedCount = 1,
        };
    }

    public FineTuneSpec Spec(string baseModel, DemoDatasets data, ulong seed, bool withGeneralist)
    {
        var spec = new FineTuneSpec { BaseModel = baseModel, Seed = seed, Method = Method };
        if (withGeneralist)
        {
            spec.Stages.Add(new Stage(Generalist) { Dataset = data.Generalist });
        }

        spec.Stages.Add(new Stage(Specialist) { Dataset = data.SpecialistTrain });
        return spec;
    }

    private static Stage SyntheticStage(string id, double epochs, int batchSize, double rate) => new()
    {
        StageId = id, Epochs = epochs, BatchSize = batchSize, MicroBatchSize = batchSize, PeakLearningRate = rate, Optimizer = new() { Beta2 = 0.99 },
    };
}

/// <summary>The versions that the demonstration works with.</summary>
internal sealed record DemoDatasets(string Generalist, string SpecialistTrain, string Test, string Description);
