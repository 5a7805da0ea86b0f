using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class ValidationOutcomeTests
{
    private static readonly StageSpec Patient = new() { StageId = "s", Dataset = "d", EarlyStoppingPatience = 2, EarlyStoppingMinImprovement = 0.1 };

    [Fact]
    public void Less_loss_is_better_and_more_of_a_generated_metric()
    {
        Assert.Equal(2, After(ValidationMetric.Loss, 3, 1, 2).BestStep);
        Assert.Equal(1, After("rouge_l", 0.9, 0.1, 0.2).BestStep);
        Assert.Equal(0.9, After("rouge_l", 0.9, 0.1, 0.2).BestValue);
    }

    [Fact]
    public void Of_two_equally_good_the_earlier_is_best() => Assert.Equal(1, After(ValidationMetric.Loss, 1, 1).BestStep);

    [Fact]
    public void Small_improvements_are_the_best_but_try_the_patience()
    {
        var stage = After(ValidationMetric.Loss, 1, 0.95, 0.92);
        Assert.Equal((3, 2), (stage.BestStep, stage.PassesWithoutImprovement));
        Assert.True(ValidationOutcome.IsOutOfPatience(stage, Patient));
    }

    [Fact]
    public void An_improvement_restores_the_patience() =>
        Assert.Equal(1, After(ValidationMetric.Loss, 1, 1.2, 0.8, 0.75).PassesWithoutImprovement);

    [Fact]
    public void Without_patience_a_stage_never_ends_early() =>
        Assert.False(ValidationOutcome.IsOutOfPatience(After(ValidationMetric.Loss, 1, 2, 3, 4), Patient with { EarlyStoppingPatience = 0 }));

    [Fact]
    public void A_value_that_is_no_number_is_never_the_best() => Assert.Equal(1, After(ValidationMetric.Loss, 1, double.NaN).BestStep);

    [Theory]
    [InlineData("rouge_l", "the cat sat", "the cat", 0.8)]
    [InlineData("exact_match", "The cat.", "the cat", 1)]
    [InlineData("exact_match", "The cat.", "a cat", 0)]
    public void Answers_are_scored_by_the_metrics_library(string metric, string reference, string answer, double score) =>
        Assert.Equal(score, ValidationMetric.Score(metric, reference, answer), 12);

    private static StageProgress After(string metric, params double[] values)
    {
        var stage = new StageProgress { StageId = "s" };
        for (var i = 0; i < values.Length; i++)
        {
            stage = ValidationOutcome.Count(stage, Patient, metric, new Dictionary<string, double>(StringComparer.Ordinal) { [metric] = values[i] }, i + 1);
        }

        return stage;
    }
}
