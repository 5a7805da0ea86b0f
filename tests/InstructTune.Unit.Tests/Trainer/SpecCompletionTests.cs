using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class SpecCompletionTests
{
    private static readonly BaseFacts Base = new("models/b/versions/3", new string('a', 64), ContextTokens: 1024);

    [Theory]
    [InlineData(1, 4)]
    [InlineData(96, 4)]
    [InlineData(97, 8)]
    [InlineData(512, 32)]
    [InlineData(10_000, 128)]
    public void The_default_batch_is_the_power_of_two_nearest_to_a_sixteenth(long examples, int batchSize) =>
        Assert.Equal(batchSize, SpecCompletion.DefaultBatchSize(examples));

    [Theory]
    [InlineData(64, 16)]
    [InlineData(10, 10)]
    [InlineData(34, 2)]
    [InlineData(17, 1)]
    public void The_default_micro_batch_divides_the_batch_and_is_at_most_sixteen(int batchSize, int microBatchSize) =>
        Assert.Equal(microBatchSize, Complete(new StageSpec { StageId = "s", Dataset = "d", BatchSize = batchSize }).Stages[0].MicroBatchSize);

    [Fact]
    public void The_subset_is_pinned_to_what_there_is()
    {
        Assert.Equal(1000, Complete(new StageSpec { StageId = "s", Dataset = "d" }).Stages[0].MaxExamples);
        Assert.Equal(1000, Complete(new StageSpec { StageId = "s", Dataset = "d", MaxExamples = 5000 }).Stages[0].MaxExamples);
        Assert.Equal(10, Complete(new StageSpec { StageId = "s", Dataset = "d", MaxExamples = 10 }).Stages[0].MaxExamples);
    }

    [Fact]
    public void Full_tuning_has_a_smaller_default_rate_than_an_adapter()
    {
        var stage = new StageSpec { StageId = "s", Dataset = "d" };
        Assert.Equal(2e-5, Complete(stage).Stages[0].PeakLearningRate);
        Assert.Equal(2e-4, Complete(stage, new LoraSpec()).Stages[0].PeakLearningRate);
    }

    [Fact]
    public void Warm_up_in_steps_is_kept_and_no_ratio_is_added()
    {
        var stage = Complete(new StageSpec { StageId = "s", Dataset = "d", WarmupSteps = 0 }).Stages[0];
        Assert.Equal((0, null), (stage.WarmupSteps, stage.WarmupRatio));
    }

    [Fact]
    public void Targets_have_one_order_whatever_order_was_asked_for() =>
        Assert.Equal(["q_proj", "down_proj"], Complete(new StageSpec { StageId = "s", Dataset = "d" }, new LoraSpec { TargetModules = ["down_proj", "q_proj", "q_proj"] }).Lora!.TargetModules);

    [Theory]
    [InlineData((int)OptimizerKind.AdamW, 0.9, 0.999, 1e-8)]
    [InlineData((int)OptimizerKind.Adafactor, 0, 0, 1e-30)]
    [InlineData((int)OptimizerKind.Lion, 0.9, 0.99, 0)]
    [InlineData((int)OptimizerKind.Sgd, 0, 0, 0)]
    public void Every_optimizer_has_constants_of_its_own(int kind, double beta1, double beta2, double epsilon)
    {
        var stage = Complete(new StageSpec { StageId = "s", Dataset = "d", Optimizer = (OptimizerKind)kind }).Stages[0];
        Assert.Equal((beta1, beta2, epsilon), (stage.Beta1, stage.Beta2, stage.Epsilon));
    }

    [Fact]
    public void Completing_a_completed_spec_changes_nothing()
    {
        var once = Complete(new StageSpec { StageId = "s", Dataset = "d" }, new LoraSpec());
        Assert.Equal(FineTuneOrder.Sha256(once), FineTuneOrder.Sha256(SpecCompletion.Complete(once, Base, [Dataset])));
    }

    [Fact]
    public void An_order_survives_its_text()
    {
        var order = new FineTuneOrder
        {
            Spec = Complete(new StageSpec { StageId = "s", Dataset = "d" }, new LoraSpec()) with { Seed = ulong.MaxValue },
            OutputModel = "out",
            BaseManifestSha256 = Base.ManifestSha256,
            Datasets = [Dataset],
        };
        var read = FineTuneOrder.Parse(order.ToJson());
        Assert.Equal(order.ToJson(), read.ToJson());
        Assert.Equal(FineTuneOrder.Sha256(order.Spec), FineTuneOrder.Sha256(read.Spec));
    }

    [Fact]
    public void An_order_of_an_earlier_release_is_read()
    {
        var order = FineTuneOrder.Parse(
            """
            {"spec": {"baseModel": "models/b/versions/1", "stages": [{"stageId": "s", "dataset": "d", "validationDatasets": ["v"]}]}, "outputModel": "o",
             "baseManifestSha256": "a", "datasets": [{"versionName": "d", "contentSha256": "c", "exampleCount": 3}],
             "validation": {"s": {"versionName": "v", "contentSha256": "e", "exampleCount": 2}}}
            """);
        Assert.Equal(ValidationMetric.Loss, order.Spec.BestMetric);
        Assert.Equal(["v"], order.Validation["s"].Select(set => set.VersionName));
        Assert.Equal(["v"], FineTuneOrder.Parse(order.ToJson()).Validation["s"].Select(set => set.VersionName));
        Assert.Empty(order.Datasets[0].Components);
    }

    private static DatasetFacts Dataset { get; } = new("datasets/d/versions/1", new string('b', 64), 1000);

    private static FineTuneSpec Complete(StageSpec stage, LoraSpec? lora = null) =>
        SpecCompletion.Complete(new FineTuneSpec { BaseModel = "models/b/versions/latest", Stages = [stage], Lora = lora }, Base, [Dataset]);
}
