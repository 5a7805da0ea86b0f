using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class StageIdentityTests
{
    private static readonly Dictionary<string, string> Numerics = new(StringComparer.Ordinal) { ["threads"] = "1" };

    [Fact]
    public void Names_attempts_and_the_cadence_of_checkpoints_are_no_part_of_it()
    {
        var other = Order() with { DisplayName = "x", OutputModel = "y", Datasets = [.. Order().Datasets.Select(dataset => dataset with { VersionName = "z" })] };
        other = other with
        {
            Spec = other.Spec with
            {
                BaseModel = "models/c/versions/9", MaxAttempts = 9, CheckpointEverySteps = 7, CheckpointKeepLast = 9, CheckpointEverySeconds = 1,
                Stages = [.. other.Spec.Stages.Select(stage => stage with { Dataset = "datasets/e/versions/2", Method = new MethodSpec(other.Spec.Lora) })],
            },
        };
        Assert.Equal(Of(Order()), Of(other));
    }

    [Theory]
    [InlineData("base")]
    [InlineData("data")]
    [InlineData("seed")]
    [InlineData("rate")]
    [InlineData("adapter")]
    [InlineData("micro-batch")]
    public void What_changes_bits_of_the_first_stage_changes_every_stage(string what)
    {
        var order = Order();
        var spec = order.Spec;
        var other = what switch
        {
            "base" => order with { BaseManifestSha256 = new string('d', 64) },
            "data" => order with { Datasets = [order.Datasets[0] with { ContentSha256 = "other" }, order.Datasets[1]] },
            "seed" => order with { Spec = spec with { Seed = 8 } },
            "rate" => order with { Spec = spec with { Stages = [spec.Stages[0] with { PeakLearningRate = 2 }, spec.Stages[1]] } },
            "adapter" => order with { Spec = spec with { Lora = spec.Lora! with { Rank = 5 } } },
            _ => order with { Spec = spec with { Stages = [spec.Stages[0] with { MicroBatchSize = 2 }, spec.Stages[1]] } },
        };
        Assert.Empty(Of(order).Intersect(Of(other)));
    }

    [Fact]
    public void What_changes_the_second_stage_leaves_the_first()
    {
        var order = Order();
        var other = order with { Spec = order.Spec with { Stages = [order.Spec.Stages[0], order.Spec.Stages[1] with { Epochs = 9 }] } };
        Assert.Equal(Of(order)[0], Of(other)[0]);
        Assert.NotEqual(Of(order)[1], Of(other)[1]);
    }

    [Fact]
    public void Prompt_format_and_numerics_are_part_of_it()
    {
        Assert.Empty(Of(Order()).Intersect(StageIdentity.Of(Order(), "other", Numerics)));
        Assert.Empty(Of(Order()).Intersect(StageIdentity.Of(Order(), "format", new Dictionary<string, string>(StringComparer.Ordinal) { ["threads"] = "2" })));
    }

    [Fact]
    public void Validation_matters_where_the_best_is_kept_and_only_there()
    {
        var order = Order();
        var validated = order with
        {
            Spec = order.Spec with { Stages = [order.Spec.Stages[0] with { ValidationDatasets = ["datasets/v/versions/1"], ValidationEverySteps = 2 }, order.Spec.Stages[1]] },
            Validation = new Dictionary<string, IReadOnlyList<DatasetFacts>>(StringComparer.Ordinal) { ["one"] = [new("datasets/v/versions/1", "v", 5)] },
        };
        Assert.Equal(Of(order), Of(validated));
        Assert.Empty(Of(order).Intersect(Of(validated with { Spec = validated.Spec with { CheckpointKeepBest = true } })));
        var impatient = validated with { Spec = validated.Spec with { Stages = [validated.Spec.Stages[0] with { EarlyStoppingPatience = 1 }, validated.Spec.Stages[1]] } };
        var others = impatient with { Validation = new Dictionary<string, IReadOnlyList<DatasetFacts>>(StringComparer.Ordinal) { ["one"] = [new("datasets/v/versions/1", "w", 5)] } };
        Assert.Empty(Of(impatient).Intersect(Of(others)));
    }

    [Fact]
    public void A_mix_is_known_by_the_content_of_its_components_and_how_they_are_mixed()
    {
        var order = Mixed(MixStrategy.InterleaveOnce, "datasets/a/versions/1", "x");
        Assert.Equal(Of(order), Of(Mixed(MixStrategy.InterleaveOnce, "datasets/renamed/versions/7", "x")));
        Assert.Empty(Of(order).Intersect(Of(Mixed(MixStrategy.InterleaveOnce, "datasets/a/versions/1", "other"))));
        Assert.Empty(Of(order).Intersect(Of(Mixed(MixStrategy.Concatenate, "datasets/a/versions/1", "x"))));
    }

    [Theory]
    [InlineData("precision")]
    [InlineData("frozen adapters")]
    [InlineData("moments")]
    [InlineData("freeze")]
    [InlineData("noise")]
    public void What_a_job_starts_from_and_how_it_trains_is_part_of_it(string what)
    {
        var order = Order();
        var other = what switch
        {
            "precision" => order with { Spec = order.Spec with { Precision = TrainingPrecision.Bfloat16 } },
            "frozen adapters" => order with { BaseAdapters = ["adapter"] },
            "moments" => order with { OptimizerManifestSha256 = "moments" },
            "freeze" => order with { Spec = order.Spec with { Lora = null, Freeze = new FreezeSpec(1, []) } },
            _ => order with { Spec = order.Spec with { Stages = [order.Spec.Stages[0] with { NeftuneAlpha = 5 }, order.Spec.Stages[1]] } },
        };
        Assert.Empty(Of(order).Intersect(Of(other)));
    }

    private static FineTuneOrder Mixed(MixStrategy strategy, string version, string digest)
    {
        var mix = new MixSpec { Components = [new MixComponent(version), new MixComponent("datasets/b/versions/1")], Strategy = strategy };
        var order = Order();
        return order with
        {
            Spec = order.Spec with { Stages = [order.Spec.Stages[0] with { Dataset = "", Mix = mix }, order.Spec.Stages[1]] },
            Datasets = [DatasetFacts.OfMix(mix, [new DatasetFacts(version, digest, 6), new DatasetFacts("datasets/b/versions/1", "y", 3)]), order.Datasets[1]],
        };
    }

    private static IReadOnlyList<string> Of(FineTuneOrder order) => StageIdentity.Of(order, "format", Numerics);

    private static FineTuneOrder Order() => new()
    {
        Spec = new FineTuneSpec
        {
            BaseModel = "models/b/versions/1",
            Seed = 7,
            Lora = new LoraSpec { Rank = 4, Alpha = 8, TargetModules = ["q_proj"] },
            Stages = [Stage("one"), Stage("two") with { Transition = StageTransition.Continue }],
        },
        OutputModel = "out",
        BaseManifestSha256 = new string('a', 64),
        Datasets = [new DatasetFacts("datasets/d/versions/1", "b", 100), new DatasetFacts("datasets/d/versions/2", "c", 100)],
    };

    private static StageSpec Stage(string id) =>
        new() { StageId = id, Dataset = "datasets/d/versions/1", Epochs = 1, BatchSize = 8, MicroBatchSize = 8, PeakLearningRate = 1, Schedule = ScheduleShape.Linear };
}
