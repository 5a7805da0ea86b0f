using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Trainer;

/// <summary>A worker that is asked to end in the middle of a job.</summary>
public sealed class PreemptionTests(TrainerFixture trainer) : IClassFixture<TrainerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_gives_the_job_back_at_a_step_border_and_no_step_is_done_twice()
    {
        await using var store = GarnetStore.Start();
        await using var api = await trainer.StartTrainerAsync(store.Configuration, "Api");
        var jobs = new FineTuneService.FineTuneServiceClient(api.Channel);
        var first = await trainer.StartTrainerAsync(store.Configuration, "Worker");
        var name = (await TrainerFixture.CreateAsync(jobs, trainer.Spec(TrainerFixture.Stage("long", "general", epochs: 4)))).Name;
        var events = new List<JobEvent>();
        TestServer? second = null;
        using (var watch = jobs.WatchFineTuneJob(new WatchFineTuneJobRequest { Name = name }, cancellationToken: Token))
        {
            while (await watch.ResponseStream.MoveNext(Token))
            {
                if (watch.ResponseStream.Current.Update.Event is not { } entry)
                {
                    continue;
                }

                events.Add(entry);
                if (second is null && entry.MetricsReported is { Step: >= 3 })
                {
                    await first.DisposeAsync();
                    second = await trainer.StartTrainerAsync(store.Configuration, "Worker");
                }
            }
        }

        await second!.DisposeAsync();
        var job = await jobs.GetFineTuneJobAsync(new GetFineTuneJobRequest { Name = name }, cancellationToken: Token);
        Assert.True(job.Job.State == JobState.Succeeded, job.Job.Error?.ToString());
        Assert.Equal((2, 0), (job.Job.Attempt, job.Job.FailureCount));
        Assert.Equal(Enumerable.Range(1, 20).Select(step => (long)step), events.Where(e => e.MetricsReported is not null).Select(e => e.MetricsReported.Step));
        Assert.DoesNotContain(events, entry => entry.StateChanged?.To == JobState.Cancelled);
    }
}
