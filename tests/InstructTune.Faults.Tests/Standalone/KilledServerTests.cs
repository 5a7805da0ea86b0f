using InstructTune.Client;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Standalone;

/// <summary>Real processes, real training: what kills them costs time and nothing else.</summary>
public sealed class KilledServerTests : IDisposable
{
    private static readonly int Faults = FaultSettings.Count(4, 10);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait(FaultSettings.Trait, "1")]
    public async Task Job_whose_server_is_killed_again_and_again_gives_the_bits_of_an_undisturbed_one()
    {
        var random = FaultSettings.Begin("1");
        var server = await StandaloneProcess.StartAsync(_folder["data"]);
        try
        {
            await FineTuneScenario.PrepareAsync(server.Client, Ct);
            var (undisturbed, expected) = await RunAsync(server.Client);
            var name = await FineTuneScenario.CreateJobAsync(server.Client, Ct);
            var history = new JobHistory(name);
            foreach (var step in StepsFrom(random))
            {
                await history.WatchAsync(server.Client, entry => entry.MetricsReported is { } metrics && metrics.Step >= step, Ct);
                await server.KillAsync();
                await server.DisposeAsync();
                server = await StandaloneProcess.StartAsync(_folder["data"]);
            }

            await history.WatchToEndAsync(server.Client, Ct);
            var job = await server.Client.FineTuneJob(name).GetAsync(Ct);
            history.Check(job);
            Assert.Equal(JobState.Succeeded, job.Job.State);
            Assert.True(job.Job.Attempt > 1, "No attempt was killed.");
            Assert.Equal(expected.Losses(), history.Losses());
            Assert.Equal(FineTuneScenario.PlannedSteps, history.Losses().Count);
            Assert.Equal(await DigestAsync(server.Client, undisturbed), await DigestAsync(server.Client, job));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    [Trait(FaultSettings.Trait, "3")]
    public async Task Server_asked_to_stop_saves_and_the_next_one_repeats_no_step()
    {
        var random = FaultSettings.Begin("3");
        var server = await StandaloneProcess.StartAsync(_folder["data"]);
        try
        {
            await FineTuneScenario.PrepareAsync(server.Client, Ct);
            var (undisturbed, expected) = await RunAsync(server.Client);
            var name = await FineTuneScenario.CreateJobAsync(server.Client, Ct);
            var history = new JobHistory(name);
            foreach (var step in StepsFrom(random))
            {
                await history.WatchAsync(server.Client, entry => entry.MetricsReported is { } metrics && metrics.Step >= step, Ct);
                Assert.Equal(0, await server.TerminateAsync());
                await server.DisposeAsync();
                server = await StandaloneProcess.StartAsync(_folder["data"]);
            }

            await history.WatchToEndAsync(server.Client, Ct);
            var job = await server.Client.FineTuneJob(name).GetAsync(Ct);
            history.Check(job);
            Assert.Equal((JobState.Succeeded, 0), (job.Job.State, job.Job.FailureCount));
            Assert.True(job.Job.Attempt > 1, "No attempt was stopped.");
            Assert.Equal(FineTuneScenario.PlannedSteps, history.ReportedSteps);
            Assert.Equal(expected.Losses(), history.Losses());
            Assert.Equal(await DigestAsync(server.Client, undisturbed), await DigestAsync(server.Client, job));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    [Trait(FaultSettings.Trait, "6")]
    public async Task Store_killed_in_the_middle_of_a_job_costs_no_attempt()
    {
        Assert.SkipWhen(RedisStore.Program is null, "redis-server is not installed.");
        var random = FaultSettings.Begin("6");
        await using var store = await RedisStore.StartAsync();
        await using var server = await StandaloneProcess.StartAsync(_folder["data"], store.Configuration);
        await FineTuneScenario.PrepareAsync(server.Client, Ct);
        var (undisturbed, _) = await RunAsync(server.Client);
        var name = await FineTuneScenario.CreateJobAsync(server.Client, Ct);
        var history = new JobHistory(name);
        foreach (var step in StepsFrom(random))
        {
            await history.WatchAsync(server.Client, entry => entry.MetricsReported is { } metrics && metrics.Step >= step, Ct);
            await store.KillAsync();
            await store.StartAgainAsync();
        }

        await history.WatchToEndAsync(server.Client, Ct);
        var job = await server.Client.FineTuneJob(name).GetAsync(Ct);
        history.Check(job);
        Assert.Equal((JobState.Succeeded, 1, 0), (job.Job.State, job.Job.Attempt, job.Job.FailureCount));
        Assert.Equal(FineTuneScenario.PlannedSteps, history.ReportedSteps);
        Assert.Equal(await DigestAsync(server.Client, undisturbed), await DigestAsync(server.Client, job));
    }

    private static async Task<(FineTuneJob Job, JobHistory History)> RunAsync(InstructTuneClient client)
    {
        var name = await FineTuneScenario.CreateJobAsync(client, Ct);
        var history = new JobHistory(name);
        await history.WatchToEndAsync(client, Ct);
        var job = await client.FineTuneJob(name).GetAsync(Ct);
        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        history.Check(job);
        return (job, history);
    }

    private static async Task<string> DigestAsync(InstructTuneClient client, FineTuneJob job)
    {
        var version = await client.Models.GetModelVersionAsync(new GetModelVersionRequest { Name = job.ModelVersion }, cancellationToken: Ct);
        return version.ManifestSha256;
    }

    // In order, so that each fault meets a job that has come further than the one before.
    private static IEnumerable<long> StepsFrom(Random random) =>
        Enumerable.Range(0, Faults).Select(_ => (long)random.Next(1, FineTuneScenario.PlannedSteps - 5)).Order().ToArray();
}
