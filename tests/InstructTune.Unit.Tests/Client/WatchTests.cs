using InstructTune.Client;
using InstructTune.V1;
using static InstructTune.Unit.Tests.Client.JobEventScript;

namespace InstructTune.Unit.Tests.Client;

public sealed class WatchTests
{
    [Fact]
    public async Task A_broken_watch_goes_on_where_it_broke()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Events.AddRange([State(1, JobState.Queued), State(2, JobState.Running), State(3, JobState.Succeeded)]);
        api.Services.FineTunes.BreakAfter = 2;
        using var client = api.Connect();
        Assert.Equal([1, 2, 3], await SequencesAsync(client, 0));
        Assert.Equal([0, 2], api.Services.FineTunes.WatchedAfter);
    }

    [Fact]
    public async Task A_watch_begins_after_what_was_seen()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Events.AddRange([State(1, JobState.Queued), State(2, JobState.Succeeded)]);
        using var client = api.Connect();
        Assert.Equal([2], await SequencesAsync(client, 1));
    }

    [Fact]
    public async Task Events_that_are_gone_are_skipped()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Events.AddRange([State(7, JobState.Running), State(8, JobState.Succeeded)]);
        api.Services.FineTunes.Oldest = 7;
        using var client = api.Connect();
        Assert.Equal([7, 8], await SequencesAsync(client, 0));
    }

    [Fact]
    public async Task A_watch_on_a_server_that_was_never_there_fails_at_once()
    {
        using var client = new InstructTuneClient(new ClientOptions { Address = new Uri("http://127.0.0.1:9") });
        var failure = await Assert.ThrowsAsync<InstructTuneException>(() => SequencesAsync(client, 0));
        Assert.Equal(LocalReasons.ServerUnreachable, failure.Reason);
    }

    [Fact]
    public async Task Waiting_returns_the_job_as_it_ended()
    {
        await using var api = await FakeApi.StartAsync();
        api.Services.FineTunes.Events.Add(State(1, JobState.Succeeded));
        using var client = api.Connect();
        var job = await client.FineTuneJob("fineTuneJobs/first").WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("models/first/versions/1", job.ModelVersion);
    }

    private static async Task<List<long>> SequencesAsync(InstructTuneClient client, long after)
    {
        var seen = new List<long>();
        await foreach (var change in client.FineTuneJob("fineTuneJobs/first").WatchAsync(after, TestContext.Current.CancellationToken))
        {
            seen.Add(change.Sequence);
        }

        return seen;
    }
}
