using InstructTune.Cli.Output;
using InstructTune.V1;
using static InstructTune.Unit.Tests.Client.JobEventScript;

namespace InstructTune.Unit.Tests.Cli.Output;

public sealed class JobTrackerTests
{
    private readonly JobTracker _tracker = new();

    [Fact]
    public void The_line_says_stage_steps_loss_speed_and_time_left()
    {
        Apply(State(1, JobState.Running), Phase(2, "training"), Measured(3, 10, 100, 2.5, 0), Measured(4, 20, 100, 2.25, 5));
        Assert.Equal("specialist  20/100  loss 2.2500  1,234 tokens/s  about 0:40 left", _tracker.Describe());
        Assert.Equal(0.2, _tracker.Fraction);
    }

    [Fact]
    public void The_time_left_is_unknown_until_two_steps_were_seen()
    {
        Apply(State(1, JobState.Running), Measured(2, 1, 10, 2, 0));
        Assert.Null(_tracker.Remaining);
    }

    [Fact]
    public void A_pause_between_attempts_does_not_slow_the_estimate()
    {
        Apply(State(1, JobState.Running), Measured(2, 1, 100, 2, 0), Measured(3, 2, 100, 2, 1));
        Apply(State(4, JobState.Queued), State(5, JobState.Running), Measured(6, 3, 100, 2, 3600), Measured(7, 4, 100, 2, 3601));
        Assert.Equal(TimeSpan.FromSeconds(96), _tracker.Remaining);
    }

    [Fact]
    public void Steps_that_are_repeated_after_a_resume_move_the_bar_back()
    {
        Apply(State(1, JobState.Running), Measured(2, 50, 100, 2, 0), Measured(3, 40, 100, 2, 1, attempt: 2));
        Assert.Equal(0.4, _tracker.Fraction);
        Assert.Null(_tracker.Remaining);
    }

    [Fact]
    public void Before_training_the_line_names_the_phase()
    {
        Apply(State(1, JobState.Running), Phase(2, "loading"));
        Assert.Equal("loading", _tracker.Describe());
    }

    [Fact]
    public void A_job_that_ended_says_how()
    {
        Apply(State(1, JobState.Running), Phase(2, "saving"), State(3, JobState.Cancelled));
        Assert.Equal("cancelled", _tracker.Describe());
        Assert.True(_tracker.HasEnded);
    }

    private void Apply(params JobEvent[] changes)
    {
        foreach (var change in changes)
        {
            _tracker.Apply(change);
        }
    }
}
