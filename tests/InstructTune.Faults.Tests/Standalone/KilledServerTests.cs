using System.Globalization;
using InstructTune.Client;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Faults.Tests.Standalone;

/// <summary>Real processes, real training: what kills them costs time and nothing else.</summary>
public sealed class KilledServerTests : IDisposable
{
    // More for a night: INSTRUCTTUNE_FAULT_KILLS and INSTRUCTTUNE_FAULT_SEED.
    private static readonly int Kills = FromEnvironment("INSTRUCTTUNE_FAULT_KILLS", 4);
    private static readonly int Seed = FromEnvironment("INSTRUCTTUNE_FAULT_SEED", 1);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Job_whose_server_is_killed_again_and_again_gives_the_bits_of_an_undisturbed_one()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed={Seed} kills={Kills}");
        var server = await StandaloneProcess.StartAsync(_folder["data"]);
        try
        {
            await FineTuneScenario.PrepareAsync(server.Client, Ct);
            var (undisturbed, expected) = await RunAsync(server.Client);
            var name = await FineTuneScenario.CreateJobAsync(server.Client, Ct);
            var history = new JobHistory(name);
            foreach (var step in RandomSteps())
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
    public async Task Server_asked_to_stop_saves_and_the_next_one_repeats_no_step()
    {
        var server = await StandaloneProcess.StartAsync(_folder["data"]);
        try
        {
            await FineTuneScenario.PrepareAsync(server.Client, Ct);
            var (undisturbed, expected) = await RunAsync(server.Client);
            var name = await FineTuneScenario.CreateJobAsync(server.Client, Ct);
            var history = new JobHistory(name);
            foreach (var step in RandomSteps())
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
    public async Task Store_killed_in_the_middle_of_a_job_costs_no_attempt()
    {
        Assert.SkipWhen(RedisStore.Program is null, "redis-server is not installed.");
        await using var store = await RedisStore.StartAsync();
        await using var server = await StandaloneProcess.StartAsync(_folder["data"], store.Configuration);
        await FineTuneScenario.PrepareAsync(server.Client, Ct);
        var (undisturbed, _) = await RunAsync(server.Client);
        var name = await FineTuneScenario.CreateJobAsync(server.Client, Ct);
        var history = new JobHistory(name);
        foreach (var step in RandomSteps())
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
    private static IEnumerable<long> RandomSteps()
    {
        var random = new Random(Seed);
        return Enumerable.Range(0, Kills).Select(_ => (long)random.Next(1, FineTuneScenario.PlannedSteps - 5)).Order().ToArray();
    }

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
