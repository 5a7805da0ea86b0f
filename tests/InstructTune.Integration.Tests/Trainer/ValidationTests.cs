using CheckpointPolicy = InstructTune.V1.FineTuneSpec.Types.CheckpointPolicy;
using FineTuneSpec = InstructTune.V1.FineTuneSpec;
using Stage = InstructTune.V1.FineTuneSpec.Types.Stage;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>What is measured on held-out data while a stage trains, and what follows from it.</summary>
public sealed class ValidationTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_set_has_its_loss_and_its_generated_metrics(bool isFull)
    {
        var spec = trainer.Spec(Validated());
        spec.Method = isFull ? new TrainingMethod { Full = new() } : new TrainingMethod { Lora = new() { Rank = 8 } };
        var (job, events) = await trainer.RunAsync(spec);

        var passes = events.Where(entry => entry.MetricsReported?.Values.ContainsKey("validation_loss") == true).Select(entry => entry.MetricsReported).ToArray();
        Assert.Equal([2L, 4, 6, 8, 9], passes.Select(pass => pass.Step));
        Assert.All(passes, pass => Assert.Equal(
            ["exact_match", "exact_match_2", "rouge_l", "rouge_l_2", "validation_loss", "validation_loss_2"],
            pass.Values.Keys.Where(key => key.StartsWith("val", StringComparison.Ordinal) || key.StartsWith("rouge", StringComparison.Ordinal) || key.StartsWith("exact", StringComparison.Ordinal)).Order(StringComparer.Ordinal)));
        Assert.All(passes, pass => Assert.All(["rouge_l", "rouge_l_2", "exact_match", "exact_match_2"], key => Assert.InRange(pass.Values[key], 0, 1)));
        Assert.NotEqual(passes[^1].Values["validation_loss"], passes[^1].Values["validation_loss_2"]);
        Assert.Equal(passes[^1].Values["validation_loss"], job.Stages[0].ValidationLoss);
        Assert.Equal(["datasets/special/versions/", "datasets/general/versions/"], job.Spec.Stages[0].ValidationDatasets.Select(name => name[..(name.LastIndexOf('/') + 1)]));
        Assert.Equal(6, job.Spec.Stages[0].ValidationGenerateExamples);
    }

    [Fact]
    public async Task Measuring_changes_no_weight()
    {
        var plain = Validated();
        plain.ValidationDatasets.Clear();
        plain.ValidationMetrics.Clear();
        var (with, _) = await trainer.RunAsync(trainer.Spec(Validated()));
        var (without, _) = await trainer.RunAsync(trainer.Spec(plain));
        Assert.Equal(await trainer.WeightsOfAsync(without), await trainer.WeightsOfAsync(with));
    }

    [Fact]
    public async Task A_stage_without_improvement_ends_early_with_its_best_weights()
    {
        var spec = Impatient();
        var (job, events) = await trainer.RunAsync(spec);

        var ended = Assert.Single(events, entry => entry.Notice?.Reason == "STAGE_ENDED_EARLY").Notice;
        Assert.Equal("only", ended.Metadata["stage"]);
        Assert.True(job.Stages[0].CompletedSteps < 40, $"{job.Stages[0].CompletedSteps} steps");
        Assert.Equal(job.Stages[0].CompletedSteps, job.Stages[0].PlannedSteps);
        Assert.Equal(1, job.Job.Progress);
        var best = events.Where(entry => entry.MetricsReported?.Values.ContainsKey("rouge_l") == true).Max(entry => entry.MetricsReported.Values["rouge_l"]);
        var first = events.First(entry => entry.MetricsReported?.Values.GetValueOrDefault("rouge_l", -1).Equals(best) == true).MetricsReported;
        Assert.EndsWith($"-s{first.Step}", job.Stages[0].BestCheckpoint, StringComparison.Ordinal);
        Assert.Equal(first.Values["validation_loss"], job.Stages[0].ValidationLoss);
    }

    [Fact]
    public async Task A_job_that_ended_early_is_reused_as_it_ended()
    {
        var spec = Impatient();
        (spec.Seed, spec.DisableStageReuse) = (91, false);
        var (first, _) = await trainer.RunAsync(spec);
        var (again, events) = await trainer.RunAsync(spec);
        Assert.DoesNotContain(events, entry => entry.MetricsReported is not null);
        Assert.Equal(first.Stages[0].CompletedSteps, again.Stages[0].CompletedSteps);
        Assert.Equal(trainer.VersionOf(first).ManifestSha256, trainer.VersionOf(again).ManifestSha256);
    }

    [Fact]
    public async Task What_validation_lacks_is_named_by_field()
    {
        await RefusedAsync(stage => stage.ValidationMetrics.Add("bleu"), "stages[0].validation_metrics");
        await RefusedAsync(stage => stage.EarlyStoppingPatience = -1, "stages[0].early_stopping_patience");
        await RefusedAsync(stage => stage.EarlyStoppingMinImprovement = double.NaN, "stages[0].early_stopping_min_improvement");
        await RefusedAsync(stage => stage.ValidationDatasets.AddRange(Enumerable.Repeat("datasets/general", 8)), "stages[0].validation_datasets");
        await RefusedAsync(stage => stage.ValidationDatasets.Clear(), "stages[0].validation_metrics");
        await RefusedAsync(_ => { }, "checkpoint_policy.best_metric", "bleu");
        await RefusedAsync(stage => stage.ValidationMetrics.Clear(), "checkpoint_policy.best_metric", "rouge_l");
    }

    private async Task RefusedAsync(Action<Stage> change, string field, string bestMetric = "")
    {
        var stage = Validated();
        change(stage);
        var spec = trainer.Spec(stage);
        spec.CheckpointPolicy = new CheckpointPolicy { BestMetric = bestMetric };
        var failure = await TrainerFixture.FailureAsync(() => trainer.CreateAsync(spec));
        Assert.Contains("fine_tune_job.spec." + field, failure.Violations.Select(violation => violation.Field));
    }

    // At this rate the answers are as bad after two passes as after one.
    private FineTuneSpec Impatient()
    {
        var stage = Validated();
        (stage.StageId, stage.Epochs, stage.PeakLearningRate, stage.EarlyStoppingPatience) = ("only", 20, 1e-6, 2);
        var spec = trainer.Spec(stage);
        spec.CheckpointPolicy = new CheckpointPolicy { KeepBest = true, BestMetric = "rouge_l" };
        return spec;
    }

    private static Stage Validated()
    {
        var stage = TrainerFixture.Stage("validated", "special", epochs: 3);
        stage.ValidationDatasets.AddRange(["datasets/special", "datasets/general"]);
        stage.ValidationMetrics.AddRange(["rouge_l", "exact_match"]);
        (stage.ValidationEverySteps, stage.ValidationGenerateExamples) = (2, 6);
        return stage;
    }
}
