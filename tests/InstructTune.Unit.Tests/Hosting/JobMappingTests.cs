using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.V1;
using JobState = InstructTune.Jobs.JobState;

namespace InstructTune.Unit.Tests.Hosting;

public sealed class JobMappingTests
{
    [Theory]
    [InlineData(JobState.Running, "training")]
    [InlineData(JobState.Cancelling, "")]
    [InlineData(JobState.Succeeded, "")]
    public void The_phase_is_shown_while_a_job_runs_and_at_no_other_time(JobState state, string expected)
    {
        var job = new JobRecord { Id = "j1", State = state, Phase = "training" };
        Assert.Equal(expected, job.ToProto().Phase);
    }

    [Fact]
    public void A_fault_that_was_tried_again_is_not_shown_as_the_end_of_the_job()
    {
        var job = new JobRecord { Id = "j1", State = JobState.Running, Error = new JobFault("INTERNAL", "the disk was away") };
        Assert.Null(job.ToProto().Error);
    }

    [Fact]
    public void The_reason_of_a_failed_job_keeps_its_name()
    {
        var job = new JobRecord { Id = "j1", State = JobState.Failed, Error = new JobFault("TRAINING_DIVERGED", "The loss is not finite.") };
        Assert.Equal(ErrorReason.TrainingDiverged, job.ToProto().Error.Reason);
    }

    [Fact]
    public void The_first_event_comes_from_no_state()
    {
        var created = new JobEventEntry(1, DateTimeOffset.UnixEpoch, 0, new StateChangedBody(JobState.Queued, JobState.Queued, null));
        var shown = created.ToProto(_ => "").StateChanged;
        Assert.Equal((V1.JobState.Unspecified, V1.JobState.Queued), (shown.From, shown.To));
    }
}
