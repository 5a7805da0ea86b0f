using InstructTune.V1;
using TrainingMethod = InstructTune.V1.FineTuneSpec.Types.TrainingMethod;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Jobs that end FAILED, and what they say.</summary>
public sealed class FailingJobTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    [Fact]
    public async Task A_loss_that_is_not_finite_fails_with_stage_and_step()
    {
        var stage = TrainerFixture.Stage("wild", "general", epochs: 3);
        stage.PeakLearningRate = 1e30;
        stage.WarmupSteps = 0;
        stage.MaxGradientNorm = 0;
        var spec = trainer.Spec(stage);
        spec.Method = new TrainingMethod { Full = new FineTuneSpec.Types.FullMethod() };

        var (job, _) = await trainer.EndOfAsync((await trainer.CreateAsync(spec)).Name);

        Assert.Equal((JobState.Failed, ErrorReason.TrainingDiverged), (job.Job.State, job.Job.Error.Reason));
        Assert.Equal("wild", job.Job.Error.Metadata["stage"]);
        Assert.Equal(job.Stages[0].CompletedSteps + 1, long.Parse(job.Job.Error.Metadata["step"], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(1, job.Job.Attempt);
    }

    [Fact]
    public async Task Data_without_a_token_to_train_on_fails_and_is_not_tried_again()
    {
        var (job, _) = await trainer.EndOfAsync(
            (await trainer.CreateAsync(trainer.Spec(TrainerFixture.Stage("long", "long-answers", maxSequenceTokens: 64)))).Name);

        Assert.Equal((JobState.Failed, ErrorReason.DataInvalid, 1), (job.Job.State, job.Job.Error.Reason, job.Job.Attempt));
        Assert.Equal("long", job.Job.Error.Metadata["stage"]);
    }

    [Fact]
    public async Task Examples_left_out_are_counted_and_said()
    {
        var stage = TrainerFixture.Stage("mixed", "long-answers", maxSequenceTokens: 445);
        stage.Truncation = Truncation.Drop;
        var (job, events) = await trainer.EndOfAsync((await trainer.CreateAsync(trainer.Spec(stage))).Name);

        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        var dropped = Assert.Single(job.Stages[0].DroppedExamples);
        Assert.Equal("OVER_LENGTH_DROPPED", dropped.Key);
        var notice = Assert.Single(events, entry => entry.Notice is not null).Notice;
        Assert.Equal(("OVER_LENGTH_DROPPED", dropped.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)), (notice.Reason, notice.Metadata["count"]));
    }
}
