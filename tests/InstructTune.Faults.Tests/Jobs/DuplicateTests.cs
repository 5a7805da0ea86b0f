using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>Every create is sent several times at once, some with other content.</summary>
[Trait("fault", "8")]
public sealed class DuplicateTests(StoreFixture stores) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [EachStore]
    public async Task Requests_sent_many_times_make_one_job_each_and_other_content_is_refused(StoreKind kind)
    {
        var random = FaultSettings.Begin("8");
        var store = new JobStore(await stores.ConnectionAsync(kind), stores.NewQueue()) { Archive = new JobArchive(_folder.Path, TimeProvider.System) };
        for (var number = 0; number < FaultSettings.Duplicates; number++)
        {
            // Ids of the caller's, or made for each call as a server does that lost its first answer.
            var hasOneId = random.Next(2) == 0;
            var sends = random.Next(2, 11);
            var others = random.Next(0, sends);
            var results = await Task.WhenAll(Enumerable.Range(0, sends).Select(send => store.CreateAsync(
                new NewJob
                {
                    Id = hasOneId ? $"c{number}" : $"c{number}-{send}",
                    RequestId = $"r{number}",
                    BodySha256 = send < others ? "other" : "body",
                    Spec = "{}",
                },
                Ct)));
            Assert.Single(results, result => result.Outcome == CreateOutcome.Created);
            var winner = results.Single(result => result.Outcome == CreateOutcome.Created).Id;
            Assert.All(results, result => Assert.Equal((number, winner), (number, result.Id)));
            // Of two contents one wins; its repeats get the same answer, the other's are refused.
            Assert.All(results, result => Assert.NotEqual(CreateOutcome.IdTaken, result.Outcome));
            Assert.Equal(sends - (IsOther(results, others) ? others : sends - others), results.Count(result => result.Outcome == CreateOutcome.RequestReused));
        }

        Assert.Equal(FaultSettings.Duplicates, (await InvariantChecker.CheckQueueAsync(store, Ct)).Count);
        // Nothing is left that a rebuilt store would take for jobs.
        Assert.Equal(FaultSettings.Duplicates, store.Archive!.Ids().Count());
    }

    private static bool IsOther(CreateResult[] results, int others) => Array.FindIndex(results, result => result.Outcome == CreateOutcome.Created) < others;
}
