using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>The store's own log was cut at a random byte while it was down.</summary>
[Trait("fault", "28")]
public sealed class DamagedLogTests : IDisposable
{
    private const int JobCount = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [EachStore]
    public async Task Store_with_a_truncated_log_refuses_clearly_or_is_made_whole_from_the_archive(StoreKind kind)
    {
        var random = FaultSettings.Begin("28");
        for (var round = 0; round < FaultSettings.Kills; round++)
        {
            await using var server = await ProcessStore.StartAsync(kind);
            await using var redis = new RedisConnection(new RedisOptions { Configuration = server.Configuration, Patience = Patience }, TimeProvider.System);
            var archive = new JobArchive(_folder[$"round-{round}"], TimeProvider.System);
            var store = new JobStore(redis, "damaged") { Archive = archive };
            await FillAsync(store, archive);
            await new JobArchiver(store, archive, NullLogger.Instance).KeepAsync(Ct);
            await server.KillAsync();
            Truncate(server.Folder, random);
            if (!await StartsAsync(server))
            {
                continue;
            }

            var kept = (await store.ListAsync(1000, "", Ct)).Items.Count;
            var restored = await new JobArchiver(store, archive, NullLogger.Instance).RestoreAsync(Ct);
            TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: {kept} of {JobCount} kept, {restored} restored");
            await store.ReapAsync(sweep: true, Ct);
            Assert.Equal(JobCount, await CountAsync(store));
        }
    }

    // What is left of half a history may have lost its end, or a record its events; every job exists, and none is in two states.
    private static async Task<int> CountAsync(JobStore store)
    {
        var jobs = (await store.ListAsync(1000, "", Ct)).Items;
        Assert.Equal(jobs.Count, jobs.Select(job => job.Id).Distinct(StringComparer.Ordinal).Count());
        await InvariantChecker.CheckQueueAsync(store, Ct);
        return jobs.Count;
    }

    private static async Task FillAsync(JobStore store, JobArchive archive)
    {
        for (var number = 0; number < JobCount; number++)
        {
            await store.CreateAsync(new NewJob { Id = $"j{number}", Spec = "{}" }, Ct);
            if (number % 3 == 0 && await store.AcquireAsync("w", "n", TimeSpan.FromMinutes(5), Ct) is { } job)
            {
                archive.TryClaim(job);
                await store.ReportAsync(new JobReport { Id = job.Id, Attempt = job.Attempt, Number = 1, Body = new PhaseBody("training") }, Ct);
                if (number % 6 == 0)
                {
                    await store.CompleteSucceededAsync(job.Id, job.Attempt, "", "r", Ct);
                }
            }
        }
    }

    private static void Truncate(string folder, Random random)
    {
        var log = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.Name.Contains("aof", StringComparison.OrdinalIgnoreCase) && !file.Name.EndsWith(".manifest", StringComparison.Ordinal))
            .MaxBy(file => file.Length)!;
        using var file = log.OpenWrite();
        file.SetLength(random.NextInt64(1, log.Length));
    }

    private static async Task<bool> StartsAsync(ProcessStore server)
    {
        try
        {
            await server.StartAgainAsync();
            return true;
        }
        catch (InvalidOperationException refused)
        {
            Assert.NotEmpty(refused.Message);
            TestContext.Current.TestOutputHelper?.WriteLine("It refused: " + refused.Message);
            return false;
        }
    }
}
