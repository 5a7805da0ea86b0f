using Google.Protobuf.WellKnownTypes;
using InstructTune.Cli.CommandLine;
using InstructTune.Unit.Tests.Client;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli.Commands;

public sealed class JobsCommandsTests
{
    [Fact]
    public async Task List_shows_the_depth_of_queues_and_who_holds_what()
    {
        await using var api = await FakeApi.StartAsync();
        var now = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
        api.Services.FineTunes.Job.Job = new JobStatus
        {
            State = JobState.Running, Attempt = 3, FailureCount = 2, Priority = JobPriority.High, Worker = "node-1/42/abc", CreateTime = now,
            LeaseExpireTime = now + Duration.FromTimeSpan(TimeSpan.FromSeconds(20)),
            LastTransientError = new JobError { Reason = ErrorReason.Internal, Message = "The disk went away." },
        };
        var run = await CliRun.Async(api, "jobs", "list");
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("fine-tune: 0 waiting; 1 running; 0 ended", run.Error, StringComparison.Ordinal);
        var row = Assert.Single(run.Out.Split('\n'), line => line.StartsWith("first ", StringComparison.Ordinal));
        foreach (var cell in new[] { "running", "high", "node-1/42", "s left", "Internal" })
        {
            Assert.Contains(cell, row, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Paused_job_says_so()
    {
        await using var api = await FakeApi.StartAsync();
        Assert.StartsWith("first: paused", (await CliRun.Async(api, "jobs", "pause", "first")).Out, StringComparison.Ordinal);
        Assert.Contains("paused", (await CliRun.Async(api, "jobs", "show", "first")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_reads_every_page_and_leaves_out_steps_unless_asked()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Events.AddRange(
        [
            new JobEvent { Sequence = 1, StateChanged = new() { To = JobState.Queued } },
            new JobEvent { Sequence = 2, Attempt = 1, StateChanged = new() { From = JobState.Queued, To = JobState.Running } },
            new JobEvent { Sequence = 3, Attempt = 1, MetricsReported = new() { Step = 1, PlannedSteps = 9, Values = { ["training_loss"] = 1.5 } } },
            new JobEvent { Sequence = 4, Attempt = 1, Notice = new() { Reason = "TRUNCATED", Text = "Two were cut." } },
            new JobEvent { Sequence = 5, Attempt = 1, StateChanged = new() { To = JobState.Queued, Cause = new JobError { Message = "The worker was lost." } } },
        ]);
        var brief = (await CliRun.Async(api, "jobs", "log", "first")).Out;
        Assert.Equal(4, brief.TrimEnd().Split('\n').Length);
        Assert.Contains("TRUNCATED: Two were cut.", brief, StringComparison.Ordinal);
        Assert.Contains("queued: The worker was lost.", brief, StringComparison.Ordinal);
        Assert.Contains("step 1 of 9: training_loss 1.5", (await CliRun.Async(api, "jobs", "log", "first", "--steps")).Out, StringComparison.Ordinal);
    }
}
