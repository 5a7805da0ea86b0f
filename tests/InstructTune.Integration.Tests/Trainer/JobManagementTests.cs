using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>What operators do with jobs besides waiting for them.</summary>
public sealed class JobManagementTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Covers("FineTuneService/PauseFineTuneJob", "OK")]
    [Covers("FineTuneService/GetCheckpoint", "OK")]
    [Covers("FineTuneService/ListFineTuneJobEvents", "OK")]
    [Covers("FineTuneService/ListFineTuneJobEvents", "PAGE_TOKEN_MISMATCH")]
    [Covers("FineTuneService/ListTrainingMetrics", "OK")]
    [Covers("FineTuneService/ListTrainingMetrics", "PAGE_TOKEN_MISMATCH")]
    public async Task A_paused_job_says_so_keeps_a_checkpoint_and_goes_on_when_resumed()
    {
        var spec = trainer.Spec(TrainerFixture.Stage("only", "general", epochs: 3));
        var created = await trainer.Jobs.CreateFineTuneJobAsync(
            new CreateFineTuneJobRequest { FineTuneJob = new FineTuneJob { Spec = spec }, Priority = JobPriority.High }, cancellationToken: Token);
        var name = created.Name;
        await StepAsync(name, 2);
        var running = await trainer.Jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = name }, cancellationToken: Token);
        await trainer.Jobs.PauseFineTuneJobAsync(new PauseFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (paused, _) = await trainer.EndOfAsync(name);

        Assert.Equal(JobPriority.High, created.Job.Priority);
        Assert.NotEmpty(running.Job.Worker);
        Assert.True(running.Job.LeaseExpireTime > running.Job.StartTime);
        Assert.Equal((JobState.Cancelled, CancelCause.Pause), (paused.Job.State, paused.Job.CancelCause));
        Assert.Contains("paused", paused.Job.Error.Message, StringComparison.Ordinal);
        var listed = (await trainer.Jobs.ListCheckpointsAsync(new ListCheckpointsRequest { Parent = name }, cancellationToken: Token)).Checkpoints[0];
        Assert.Equal(listed, await trainer.Jobs.GetCheckpointAsync(new GetCheckpointRequest { Name = listed.Name }, cancellationToken: Token));

        await trainer.Jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var (resumed, events) = await trainer.EndOfAsync(name, paused.Job.LastEventSequence);
        Assert.True(resumed.Job.State == JobState.Succeeded, resumed.Job.Error?.ToString());
        Assert.Equal(CancelCause.Unspecified, resumed.Job.CancelCause);
        Assert.Equal(listed.Step + 1, events.First(entry => entry.MetricsReported is not null).MetricsReported.Step);
        await CheckHistoryAsync(resumed);
        await CheckMetricsAsync(resumed);
    }

    [Fact]
    [Covers("FineTuneService/DeleteFineTuneJob", "OK")]
    [Covers("FineTuneService/DeleteFineTuneJob", "JOB_NOT_ENDED")]
    public async Task A_deleted_job_is_gone_with_its_files_and_its_result_stays()
    {
        var name = (await trainer.CreateAsync(trainer.Spec(TrainerFixture.Stage("only", "general", epochs: 20)))).Name;
        await StepAsync(name, 1);
        var failure = await TrainerFixture.FailureAsync(async () => await trainer.Jobs.DeleteFineTuneJobAsync(new DeleteFineTuneJobRequest { Name = name }));
        await trainer.Jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: Token);
        await trainer.EndOfAsync(name);
        var ended = await trainer.Jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = name }, cancellationToken: Token);
        await trainer.Jobs.DeleteFineTuneJobAsync(new DeleteFineTuneJobRequest { Name = name, Etag = ended.Etag }, cancellationToken: Token);
        var (done, _) = await trainer.EndOfAsync((await trainer.CreateAsync(trainer.SmallSpec())).Name);
        await trainer.Jobs.DeleteFineTuneJobAsync(new DeleteFineTuneJobRequest { Name = done.Name }, cancellationToken: Token);

        Assert.Equal(ErrorReason.JobNotEnded, failure.Reason);
        foreach (var gone in new[] { name, done.Name })
        {
            Assert.Equal(
                ErrorReason.ResourceNotFound,
                (await TrainerFixture.FailureAsync(async () => await trainer.Jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = gone }))).Reason);
            Assert.False(Directory.Exists(Path.Combine(trainer.StorageRoot, "jobs", gone.Split('/')[1])));
        }

        Assert.NotNull(trainer.VersionOf(done));
    }

    [Fact]
    [Covers("FineTuneService/DeleteFineTuneJob", "ETAG_MISMATCH")]
    public async Task A_job_that_went_on_since_it_was_read_is_not_deleted_by_its_old_etag()
    {
        var created = await trainer.CreateAsync(trainer.SmallSpec());
        var (ended, _) = await trainer.EndOfAsync(created.Name);
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await trainer.Jobs.DeleteFineTuneJobAsync(new DeleteFineTuneJobRequest { Name = created.Name, Etag = created.Etag }, cancellationToken: Token));
        var still = await trainer.Jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = created.Name }, cancellationToken: Token);

        Assert.Equal((StatusCode.Aborted, ErrorReason.EtagMismatch), (failure.StatusCode, ErrorStatus.FromPeer(failure)!.Reason));
        Assert.Equal(ended.Etag, still.Etag);
    }

    [Fact]
    [Covers("FineTuneService/ListCheckpoints", "PAGE_TOKEN_MISMATCH")]
    public async Task Checkpoints_are_listed_by_pages_newest_first()
    {
        var spec = trainer.Spec(TrainerFixture.Stage("only", "general", epochs: 2));
        spec.CheckpointPolicy = new FineTuneSpec.Types.CheckpointPolicy { EverySteps = 1, KeepLast = 4 };
        var job = await trainer.CreateAsync(spec);
        await trainer.EndOfAsync(job.Name);
        var request = new ListCheckpointsRequest { Parent = job.Name };
        var whole = (await trainer.Jobs.ListCheckpointsAsync(request, cancellationToken: Token)).Checkpoints;
        var paged = new List<Checkpoint>();
        request.PageSize = 2;
        do
        {
            var page = await trainer.Jobs.ListCheckpointsAsync(request, cancellationToken: Token);
            Assert.InRange(page.Checkpoints.Count, 1, 2);
            paged.AddRange(page.Checkpoints);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        request.PageToken = "x";

        Assert.True(whole.Count > 2);
        Assert.Equal(whole, paged);
        Assert.Equal(whole.Select(checkpoint => checkpoint.Step).OrderDescending(), whole.Select(checkpoint => checkpoint.Step));
        Assert.Equal(
            ErrorReason.PageTokenMismatch, (await TrainerFixture.FailureAsync(async () => await trainer.Jobs.ListCheckpointsAsync(request))).Reason);
    }

    [Theory]
    [InlineData("fineTuneJobs/x/checkpoints", ErrorReason.FieldInvalid)]
    [InlineData("fineTuneJobs/nobody/checkpoints/a1-s1", ErrorReason.ResourceNotFound)]
    [Covers("FineTuneService/GetCheckpoint", "FIELD_INVALID")]
    [Covers("FineTuneService/GetCheckpoint", "RESOURCE_NOT_FOUND")]
    public async Task Malformed_and_unknown_checkpoints_are_refused(string name, ErrorReason reason) => Assert.Equal(
        reason, (await TrainerFixture.FailureAsync(async () => await trainer.Jobs.GetCheckpointAsync(new GetCheckpointRequest { Name = name }))).Reason);

    [Fact]
    [Covers("FineTuneService/GetCheckpoint", "STORE_UNREACHABLE")]
    public async Task Without_the_store_no_checkpoint_is_found()
    {
        await using var alone = await trainer.StartTrainerAsync($"127.0.0.1:{FreePort.Next()}", "Api", ("Redis:Patience", "00:00:00.300"));
        var jobs = new FineTuneService.FineTuneServiceClient(alone.Channel);
        Assert.Equal(
            ErrorReason.StoreUnreachable,
            (await TrainerFixture.FailureAsync(async () => await jobs.GetCheckpointAsync(
                new GetCheckpointRequest { Name = "fineTuneJobs/some/checkpoints/a1-s1" }))).Reason);
    }

    private async Task CheckHistoryAsync(FineTuneJob job)
    {
        var events = new List<JobEvent>();
        var request = new ListFineTuneJobEventsRequest { Parent = job.Name, PageSize = 7 };
        do
        {
            var page = await trainer.Jobs.ListFineTuneJobEventsAsync(request, cancellationToken: Token);
            Assert.True(page.Events.Count is > 0 and <= 7);
            events.AddRange(page.Events);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(Enumerable.Range(1, (int)job.Job.LastEventSequence).Select(number => (long)number), events.Select(entry => entry.Sequence));
        request.PageToken = "x";
        Assert.Equal(
            ErrorReason.PageTokenMismatch, (await TrainerFixture.FailureAsync(async () => await trainer.Jobs.ListFineTuneJobEventsAsync(request))).Reason);
    }

    private async Task CheckMetricsAsync(FineTuneJob job)
    {
        var request = new ListTrainingMetricsRequest { Parent = job.Name, Metrics = { "training_loss" } };
        var rows = (await trainer.Jobs.ListTrainingMetricsAsync(request, cancellationToken: Token)).Rows;
        Assert.Equal(Enumerable.Range(1, (int)job.Stages[0].PlannedSteps).Select(step => (long)step), rows.Select(row => row.Step));
        Assert.All(rows, row => Assert.Equal(["training_loss"], row.Values.Keys));
        request.MaxPoints = 4;
        var thinned = (await trainer.Jobs.ListTrainingMetricsAsync(request, cancellationToken: Token)).Rows;
        Assert.InRange(thinned.Count, 3, 4);
        Assert.Equal(rows.Take(4).Average(row => row.Values["training_loss"]), thinned[0].Values["training_loss"], 1e-9);
        request.PageToken = "x";
        Assert.Equal(
            ErrorReason.PageTokenMismatch, (await TrainerFixture.FailureAsync(async () => await trainer.Jobs.ListTrainingMetricsAsync(request))).Reason);
    }

    private async Task StepAsync(string name, long step)
    {
        using var watch = trainer.Jobs.WatchFineTuneJob(new WatchFineTuneJobRequest { Name = name }, cancellationToken: Token);
        while (await watch.ResponseStream.MoveNext(Token))
        {
            if (watch.ResponseStream.Current.Update.Event?.MetricsReported?.Step >= step)
            {
                return;
            }
        }
    }
}
