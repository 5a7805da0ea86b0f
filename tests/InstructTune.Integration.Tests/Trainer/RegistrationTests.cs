using InstructTune.Jobs;
using InstructTune.Testing;
using InstructTune.Trainer.Registry;
using InstructTune.V1;
using Microsoft.Extensions.DependencyInjection;
using JobState = InstructTune.V1.JobState;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>A crash between the end of a job and its registration is healed by whoever looks next.</summary>
public sealed class RegistrationTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_ended_unregistered_is_registered_once_when_it_is_looked_at()
    {
        await using var store = GarnetStore.Start();
        await using var api = await trainer.StartTrainerAsync(store.Configuration, "Api");
        var client = new FineTuneService.FineTuneServiceClient(api.Channel);
        await TrainerFixture.CreateAsync(client, trainer.SmallSpec(), "unregistered");
        var registry = api.Services.GetRequiredService<IModelRegistry>();

        await SucceedAsync(api.Services.GetRequiredKeyedService<JobStore>("fine-tune"));
        Assert.Null(registry.Find("unregistered", "latest"));
        var seen = await client.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = "fineTuneJobs/unregistered" }, cancellationToken: Token);
        var listed = await client.ListFineTuneJobsAsync(new ListFineTuneJobsRequest(), cancellationToken: Token);

        Assert.Equal((JobState.Succeeded, "models/unregistered/versions/1"), (seen.Job.State, seen.ModelVersion));
        Assert.Equal(seen.ModelVersion, listed.FineTuneJobs[0].ModelVersion);
        Assert.Equal(1, registry.Find("unregistered", "latest")!.Version);
    }

    // What a worker does that dies after its last call to the store.
    private async Task SucceedAsync(JobStore jobs)
    {
        var result = trainer.VersionOf((await trainer.EndOfAsync((await trainer.CreateAsync(trainer.SmallSpec())).Name)).Job).ManifestSha256;
        var job = (await jobs.AcquireAsync("worker", "node", TimeSpan.FromMinutes(1), Token))!;
        Assert.Equal(CompleteOutcome.Done, await jobs.CompleteSucceededAsync(job.Id, job.Attempt, "", result, Token));
    }
}
