using InstructTune.Jobs;
using InstructTune.Testing;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using JobState = InstructTune.V1.JobState;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>Calls about jobs that nobody trains: the API alone, over a store of its own.</summary>
public sealed class QueuedJobTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>, IAsyncLifetime
{
    private readonly GarnetStore _store = GarnetStore.Start();
    private TestServer _api = null!;
    private FineTuneService.FineTuneServiceClient _jobs = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _api = await trainer.StartTrainerAsync(_store.Configuration, "Api", ("Jobs:EventsKept", "3"));
        _jobs = new FineTuneService.FineTuneServiceClient(_api.Channel);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    [Covers("FineTuneService/ListFineTuneJobs", "OK")]
    [Covers("FineTuneService/ListFineTuneJobs", "FIELD_INVALID")]
    [Covers("FineTuneService/ListFineTuneJobs", "PAGE_TOKEN_MISMATCH")]
    public async Task Jobs_are_listed_newest_first_page_by_page()
    {
        for (var i = 0; i < 3; i++)
        {
            await CreateAsync($"listed-{i}");
        }

        var first = await _jobs.ListFineTuneJobsAsync(new ListFineTuneJobsRequest { PageSize = 2 }, cancellationToken: Token);
        var second = await _jobs.ListFineTuneJobsAsync(
            new ListFineTuneJobsRequest { PageSize = 2, PageToken = first.NextPageToken }, cancellationToken: Token);

        Assert.Equal(["listed-2", "listed-1"], first.FineTuneJobs.Select(job => job.Name.Split('/')[1]));
        // Older ones may follow: jobs of other tests over the same archive.
        Assert.Equal("listed-0", second.FineTuneJobs[0].Name.Split('/')[1]);
        Assert.Equal(
            ErrorReason.FieldInvalid,
            (await TrainerFixture.FailureAsync(async () => await _jobs.ListFineTuneJobsAsync(new ListFineTuneJobsRequest { PageSize = -1 }))).Reason);
        Assert.Equal(
            ErrorReason.PageTokenMismatch,
            (await TrainerFixture.FailureAsync(async () => await _jobs.ListFineTuneJobsAsync(new ListFineTuneJobsRequest { PageToken = "x" }))).Reason);
    }

    [Fact]
    [Covers("FineTuneService/CancelFineTuneJob", "OK")]
    [Covers("FineTuneService/ResumeFineTuneJob", "OK")]
    [Covers("FineTuneService/ResumeFineTuneJob", "JOB_NOT_RESUMABLE")]
    public async Task A_queued_job_is_cancelled_at_once_and_resumed()
    {
        var name = (await CreateAsync("to-cancel")).Name;

        var cancelled = await _jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var again = await _jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var resumed = await _jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }, cancellationToken: Token);
        var failure = await TrainerFixture.FailureAsync(async () => await _jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }));

        Assert.Equal(JobState.Cancelled, cancelled.Job.State);
        Assert.Equal(ErrorReason.CancelledByCaller, cancelled.Job.Error.Reason);
        Assert.Equal(cancelled, again);
        Assert.Equal(JobState.Queued, resumed.Job.State);
        Assert.Equal(ErrorReason.JobNotResumable, failure.Reason);
    }

    [Fact]
    [Covers("FineTuneService/WatchFineTuneJob", "EVENTS_TRIMMED")]
    public async Task Watching_from_before_the_oldest_kept_event_is_refused()
    {
        var job = await CreateAsync("trimmed");
        var store = _api.Services.GetRequiredKeyedService<JobStore>("fine-tune");
        for (var i = 0; i < 3; i++)
        {
            await store.CancelAsync("trimmed", ct: Token);
            await store.ResumeAsync("trimmed", Token);
        }

        var failure = await TrainerFixture.FailureAsync(() => WatchAsync(job.Name, 0));

        Assert.Equal(ErrorReason.EventsTrimmed, failure.Reason);
        Assert.True(long.Parse(failure.Metadata["oldest_sequence"], System.Globalization.CultureInfo.InvariantCulture) > 1);
    }

    [Theory]
    [InlineData("jobs/x", ErrorReason.FieldInvalid)]
    [InlineData("fineTuneJobs/nobody", ErrorReason.ResourceNotFound)]
    [Covers("FineTuneService/GetFineTuneJob", "FIELD_INVALID")]
    [Covers("FineTuneService/GetFineTuneJob", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/CancelFineTuneJob", "FIELD_INVALID")]
    [Covers("FineTuneService/CancelFineTuneJob", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/ResumeFineTuneJob", "FIELD_INVALID")]
    [Covers("FineTuneService/ResumeFineTuneJob", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/WatchFineTuneJob", "FIELD_INVALID")]
    [Covers("FineTuneService/WatchFineTuneJob", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/RequestCheckpoint", "FIELD_INVALID")]
    [Covers("FineTuneService/RequestCheckpoint", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/ListCheckpoints", "FIELD_INVALID")]
    [Covers("FineTuneService/ListCheckpoints", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/PauseFineTuneJob", "FIELD_INVALID")]
    [Covers("FineTuneService/PauseFineTuneJob", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/DeleteFineTuneJob", "FIELD_INVALID")]
    [Covers("FineTuneService/DeleteFineTuneJob", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/ListFineTuneJobEvents", "FIELD_INVALID")]
    [Covers("FineTuneService/ListFineTuneJobEvents", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/ListTrainingMetrics", "FIELD_INVALID")]
    [Covers("FineTuneService/ListTrainingMetrics", "RESOURCE_NOT_FOUND")]
    [Covers("FineTuneService/ReadTrainingLogs", "FIELD_INVALID")]
    [Covers("FineTuneService/ReadTrainingLogs", "RESOURCE_NOT_FOUND")]
    public async Task Every_call_about_a_job_refuses_malformed_and_unknown_names(string name, ErrorReason reason)
    {
        foreach (var call in CallsAbout(_jobs, name))
        {
            Assert.Equal(reason, (await TrainerFixture.FailureAsync(call)).Reason);
        }
    }

    [Fact]
    [Covers("FineTuneService/CreateFineTuneJob", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/GetFineTuneJob", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/ListFineTuneJobs", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/CancelFineTuneJob", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/ResumeFineTuneJob", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/WatchFineTuneJob", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/ListCheckpoints", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/PauseFineTuneJob", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/DeleteFineTuneJob", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/ListFineTuneJobEvents", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/ListTrainingMetrics", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/ReadTrainingLogs", "STORE_UNREACHABLE")]
    [Covers("FineTuneService/RequestCheckpoint", "STORE_UNREACHABLE")]
    public async Task Without_the_store_every_call_says_so()
    {
        await using var alone = await trainer.StartTrainerAsync($"127.0.0.1:{FreePort.Next()}", "Api", ("Redis:Patience", "00:00:00.300"));
        var jobs = new FineTuneService.FineTuneServiceClient(alone.Channel);
        Func<Task>[] calls =
        [
            .. CallsAbout(jobs, "fineTuneJobs/some"),
            () => TrainerFixture.CreateAsync(jobs, trainer.SmallSpec()),
            async () => await jobs.ListFineTuneJobsAsync(new ListFineTuneJobsRequest()),
        ];
        foreach (var call in calls)
        {
            Assert.Equal(ErrorReason.StoreUnreachable, (await TrainerFixture.FailureAsync(call)).Reason);
        }
    }

    private static Func<Task>[] CallsAbout(FineTuneService.FineTuneServiceClient jobs, string name) =>
    [
        async () => await jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = name }),
        async () => await jobs.CancelFineTuneJobAsync(new CancelFineTuneJobRequest { Name = name }),
        async () => await jobs.ResumeFineTuneJobAsync(new ResumeFineTuneJobRequest { Name = name }),
        async () => await jobs.PauseFineTuneJobAsync(new PauseFineTuneJobRequest { Name = name }),
        async () => await jobs.DeleteFineTuneJobAsync(new DeleteFineTuneJobRequest { Name = name }),
        async () => await jobs.ListFineTuneJobEventsAsync(new ListFineTuneJobEventsRequest { Parent = name }),
        async () => await jobs.ListTrainingMetricsAsync(new ListTrainingMetricsRequest { Parent = name }),
        async () => await jobs.RequestCheckpointAsync(new RequestCheckpointRequest { Name = name }),
        async () => await jobs.ListCheckpointsAsync(new ListCheckpointsRequest { Parent = name }),
        () => LogsAsync(jobs, name),
        () => WatchAsync(jobs, name, 0),
    ];

    private static async Task WatchAsync(FineTuneService.FineTuneServiceClient jobs, string name, long afterSequence)
    {
        using var watch = jobs.WatchFineTuneJob(new WatchFineTuneJobRequest { Name = name, AfterSequence = afterSequence });
        await watch.ResponseStream.MoveNext(Token);
    }

    private static async Task LogsAsync(FineTuneService.FineTuneServiceClient jobs, string name)
    {
        using var logs = jobs.ReadTrainingLogs(new ReadTrainingLogsRequest { Parent = name });
        await logs.ResponseStream.MoveNext(Token);
    }

    private Task WatchAsync(string name, long afterSequence) => WatchAsync(_jobs, name, afterSequence);

    private Task<FineTuneJob> CreateAsync(string id) => TrainerFixture.CreateAsync(_jobs, trainer.SmallSpec(), id);
}
