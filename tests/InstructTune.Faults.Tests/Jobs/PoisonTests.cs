using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>A job that kills every worker at the same step.</summary>
[Trait("fault", "13")]
public sealed class PoisonTests(StoreFixture stores)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMilliseconds(400);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [EachStore]
    public async Task Poison_job_fails_after_five_and_delays_the_others_by_less_than_five_leases(StoreKind kind)
    {
        var store = new JobStore(await stores.ConnectionAsync(kind), stores.NewQueue());
        await store.CreateAsync(new NewJob { Id = "poison", Spec = "{}" }, Ct);
        for (var number = 0; number < 20; number++)
        {
            await store.CreateAsync(new NewJob { Id = $"j{number}", Spec = "{}" }, Ct);
        }

        var start = TimeProvider.System.GetTimestamp();
        TimeSpan? othersDone = null;
        var deaths = 0;
        while ((await store.GetAsync("poison", Ct))!.State != JobState.Failed)
        {
            await store.ReapAsync(sweep: false, Ct);
            if (await store.AcquireAsync("w", "n", Lease, Ct) is not { } job)
            {
                othersDone ??= TimeProvider.System.GetElapsedTime(start);
                continue;
            }

            if (job.Id == "poison")
            {
                // Three steps, then the process is gone: nobody renews, nobody says goodbye.
                deaths++;
                for (var step = 1; step <= 3; step++)
                {
                    await store.ReportAsync(
                        new JobReport { Id = job.Id, Attempt = job.Attempt, Number = step, Body = new MetricsBody(step, 10, "", new Dictionary<string, double>()) }, Ct);
                }
            }
            else
            {
                Assert.Equal(CompleteOutcome.Done, await store.CompleteSucceededAsync(job.Id, job.Attempt, "", "r", Ct));
            }
        }

        Assert.Equal(5, deaths);
        var jobs = await InvariantChecker.CheckQueueAsync(store, Ct);
        Assert.Equal(JobFault.AttemptsExhausted, jobs.Single(job => job.Id == "poison").Error?.Reason);
        Assert.All(jobs.Where(job => job.Id != "poison"), job => Assert.Equal((JobState.Succeeded, 1), (job.State, job.Attempt)));
        Assert.True(othersDone < 5 * Lease, $"The others took {othersDone}.");
    }
}
