using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>A cancel or a pause meets the end of the work, the loss of the worker, or another cancel, in every order.</summary>
[Trait("fault", "35")]
public sealed class RaceTests(StoreFixture stores)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [EachStore]
    public async Task Cancel_that_races_with_the_end_leaves_one_end_and_publishes_nothing_once_acknowledged(StoreKind kind)
    {
        var random = FaultSettings.Begin("35");
        var queue = stores.NewQueue();
        // Connections of their own, or one call would wait for the other.
        await using var first = await OpenAsync(kind);
        await using var second = await OpenAsync(kind);
        await using var third = await OpenAsync(kind);
        var (worker, caller, other) = (new JobStore(first, queue), new JobStore(second, queue), new JobStore(third, queue));
        var acknowledged = 0;
        for (var number = 0; number < FaultSettings.Cases; number++)
        {
            var id = $"j{number}";
            await worker.CreateAsync(new NewJob { Id = id, Spec = "{}", MaxAttempts = 2 }, Ct);
            var job = (await worker.AcquireAsync("w", "n", random.Next(3) == 0 ? TimeSpan.FromMilliseconds(-1) : Lease, Ct))!;
            var ends = new List<Func<Task<bool>>>
            {
                async () => await caller.CancelAsync(id, random.Next(2) == 0 ? CancelCause.Caller : CancelCause.Pause, Ct) != CancelOutcome.Unchanged,
                async () => await worker.CompleteSucceededAsync(id, job.Attempt, "", "result", Ct) == CompleteOutcome.Done,
            };
            if (random.Next(2) == 0)
            {
                ends.Add(async () => await other.ReapAsync(sweep: true, Ct) > 0);
            }

            random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ends));
            var isCancel = ends.ConvertAll(end => end);
            await Task.WhenAll(isCancel.Select(end => Task.Run(end, Ct)));
            var after = (await worker.GetAsync(id, Ct))!;
            if (after.CancelCause is not null)
            {
                acknowledged++;
                Assert.Equal((id, ""), (id, after.Result));
                Assert.Contains(after.State, new[] { JobState.Cancelling, JobState.Cancelled });
                // What the worker says next cannot change it.
                await worker.CompleteSucceededAsync(id, job.Attempt, "", "late", Ct);
                await worker.ReleaseAsync(id, job.Attempt, ReleaseKind.Preempted, null, ct: Ct);
                Assert.Equal((JobState.Cancelled, ""), ((await worker.GetAsync(id, Ct))!.State, (await worker.GetAsync(id, Ct))!.Result));
            }
            else if (after.State == JobState.Queued)
            {
                await caller.CancelAsync(id, ct: Ct);
            }
        }

        Assert.InRange(acknowledged, FaultSettings.Cases / 20, FaultSettings.Cases - 1);
        Assert.All(await InvariantChecker.CheckQueueAsync(worker, Ct), job => Assert.True(job.State.IsTerminal(), job.Id));
    }

    private async Task<RedisConnection> OpenAsync(StoreKind kind) =>
        new(new RedisOptions { Configuration = (await stores.ServerAsync(kind)).Configuration, Patience = TimeSpan.FromSeconds(30) }, TimeProvider.System);
}
