using InstructTune.Jobs;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class ProgressReaderTests
{
    private static readonly JobProgress Progress = new()
    {
        Stages =
        [
            new StageProgress { StageId = "generalist", CompletedSteps = 10, PlannedSteps = 10 },
            new StageProgress { StageId = "specialist", CompletedSteps = 2, PlannedSteps = 6 },
        ],
    };

    [Fact]
    public void A_step_reported_since_is_shown_in_its_stage()
    {
        var stage = ProgressReader.Apply(Progress, Metrics(step: 15, "specialist")).Stages[1];
        Assert.Equal((5L, 1.5, 900L), (stage.CompletedSteps, stage.TrainingLoss, stage.TrainedTokens));
    }

    [Fact]
    public void An_older_report_changes_nothing() => Assert.Same(Progress, ProgressReader.Apply(Progress, Metrics(step: 12, "specialist")));

    [Fact]
    public void A_report_of_no_stage_changes_nothing() => Assert.Same(Progress, ProgressReader.Apply(Progress, Metrics(step: 99, "")));

    private static MetricsBody Metrics(long step, string stage) => new(
        step, 16, stage, new Dictionary<string, double>(StringComparer.Ordinal) { ["training_loss"] = 1.5, ["trained_tokens"] = 900 });
}
