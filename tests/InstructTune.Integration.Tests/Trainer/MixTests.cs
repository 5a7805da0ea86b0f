using System.Globalization;
using InstructTune.V1;
using Component = InstructTune.V1.DatasetMix.Types.Component;
using Stage = InstructTune.V1.FineTuneSpec.Types.Stage;
using Strategy = InstructTune.V1.DatasetMix.Types.Strategy;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Stages that train on several datasets at once.</summary>
public sealed class MixTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    [Fact]
    public async Task A_mix_is_trained_on_in_the_counts_of_its_plan_and_pinned()
    {
        var (job, events) = await trainer.RunAsync(trainer.Spec(Mixed(Strategy.InterleaveUntilFirst, Weighted("general", 3), Weighted("special", 1))));

        var mix = job.Spec.Stages[0].Mix;
        Assert.Equal(["datasets/general/versions/", "datasets/special/versions/"], mix.Components.Select(component => component.Version[..(component.Version.LastIndexOf('/') + 1)]));
        Assert.Equal(("", ""), (job.Spec.Stages[0].Dataset, job.Stages[0].DatasetVersion));
        var notice = Assert.Single(events, entry => entry.Notice?.Reason == "DATASET_MIX").Notice;
        var counts = new[] { "component_0", "component_1" }.Select(key => notice.Metadata[key].Split(' ')).ToArray();
        Assert.Equal(mix.Components.Select(component => component.Version), counts.Select(count => count[1]));
        Assert.Equal(["40", "13"], counts.Select(count => count[0]));
        Assert.Equal(53, events.Single(entry => entry.StageStarted is not null).StageStarted.ExampleCount);
        Assert.Equal(7, job.Stages[0].PlannedSteps);
        Assert.Contains(mix.Components[0].Version + "@", trainer.VersionOf(job).Lineage["stage.mixed"], StringComparison.Ordinal);
        Assert.Contains(mix.Components[1].Version + "@", trainer.VersionOf(job).Lineage["stage.mixed"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_equal_mix_is_not_trained_again_and_another_seed_is()
    {
        var spec = trainer.Spec(Mixed(Strategy.Concatenate, new Component { Version = "datasets/general", ExampleCount = 12 }, new Component { Version = "datasets/special", Fraction = 0.5 }));
        (spec.Seed, spec.DisableStageReuse) = (77, false);
        var (first, _) = await trainer.RunAsync(spec);
        var (again, events) = await trainer.RunAsync(spec);
        spec.Stages[0].Mix.Seed = 5;
        var (other, _) = await trainer.RunAsync(spec);

        Assert.Equal(first.Stages[0].Checkpoint.Length > 0, again.Stages[0].ReusedCheckpoint.Length > 0);
        Assert.DoesNotContain(events, entry => entry.MetricsReported is not null);
        Assert.Equal(trainer.VersionOf(first).ManifestSha256, trainer.VersionOf(again).ManifestSha256);
        Assert.Empty(other.Stages[0].ReusedCheckpoint);
        Assert.NotEqual(await trainer.WeightsOfAsync(first), await trainer.WeightsOfAsync(other));
    }

    [Fact]
    public async Task A_mix_of_one_whole_dataset_without_shuffling_of_counts_has_its_examples()
    {
        var (mixed, _) = await trainer.RunAsync(trainer.Spec(Mixed(Strategy.Concatenate, new Component { Version = "datasets/special" })));
        var (plain, _) = await trainer.RunAsync(trainer.Spec(TrainerFixture.Stage("mixed", "special")));
        Assert.Equal(plain.Stages[0].TrainedTokens, mixed.Stages[0].TrainedTokens);
        Assert.Equal(plain.Stages[0].PlannedSteps, mixed.Stages[0].PlannedSteps);
    }

    [Fact]
    public async Task Max_examples_takes_some_of_a_mix()
    {
        var stage = Mixed(Strategy.InterleaveUntilAll, Weighted("general", 1), Weighted("special", 1));
        stage.MaxExamples = 20;
        var (job, events) = await trainer.RunAsync(trainer.Spec(stage));
        var notice = Assert.Single(events, entry => entry.Notice?.Reason == "DATASET_MIX").Notice;
        Assert.Equal(20, new[] { "component_0", "component_1" }.Sum(key => int.Parse(notice.Metadata[key].Split(' ')[0], CultureInfo.InvariantCulture)));
        Assert.Equal(20, job.Spec.Stages[0].MaxExamples);
    }

    [Fact]
    public async Task What_a_mix_lacks_is_named_by_field()
    {
        var both = Mixed(Strategy.Concatenate, new Component { Version = "datasets/general" });
        both.Dataset = "datasets/special";
        await RefusedAsync(both, "mix");
        await RefusedAsync(Mixed(Strategy.Concatenate), "mix.components");
        await RefusedAsync(Mixed(Strategy.Concatenate, Weighted("general", 1)), "mix.components");
        await RefusedAsync(Mixed(Strategy.InterleaveOnce, Weighted("general", 1), new Component { Version = "datasets/special" }), "mix.components");
        await RefusedAsync(Mixed(Strategy.InterleaveOnce, Weighted("general", -1)), "mix.components[0].weight");
        await RefusedAsync(Mixed(Strategy.InterleaveOnce, new Component { Version = "general" }), "mix.components[0].version");
        await RefusedAsync(Mixed(Strategy.Concatenate, new Component { Version = "datasets/general", ExampleCount = 41 }), "mix.components[0]");
        var neither = Mixed(Strategy.Concatenate);
        neither.Mix = null;
        await RefusedAsync(neither, "dataset");
    }

    private async Task RefusedAsync(Stage stage, string field)
    {
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(trainer.Spec(stage)));
        Assert.Equal(ErrorReason.FieldInvalid, failure.Reason);
        Assert.Contains("fine_tune_job.spec.stages[0]." + field, failure.Violations.Select(violation => violation.Field));
    }

    private static Component Weighted(string dataset, double weight) => new() { Version = "datasets/" + dataset, Weight = weight };

    private static Stage Mixed(Strategy strategy, params Component[] components)
    {
        var stage = TrainerFixture.Stage("mixed", "general");
        stage.Dataset = "";
        stage.Mix = new DatasetMix { Strategy = strategy, Components = { components } };
        return stage;
    }
}
