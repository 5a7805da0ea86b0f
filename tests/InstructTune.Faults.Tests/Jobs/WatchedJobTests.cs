using InstructTune.Client;
using InstructTune.Faults.Tests.Trainer;
using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>A consumer of the client library follows one job while its server is killed and its network cut, over and over.</summary>
[Trait("fault", "14")]
public sealed class WatchedJobTests(StoreFixture stores) : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromHours(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(90);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Watcher_sees_one_seamless_sequence_through_killed_servers_and_cut_networks()
    {
        var random = FaultSettings.Begin("14");
        var store = new JobStore(await stores.ConnectionAsync(StoreKind.Redis), "fine-tune");
        var id = $"watched-{FaultSettings.Seed}";
        await store.CreateAsync(new NewJob { Id = id, Spec = "{}" }, Ct);
        var job = (await store.AcquireAsync("w", "n", Lease, Ct))!;
        Assert.Equal(id, job.Id);

        await using var proxy = new FaultProxy(FreePort.Next());
        var server = await StartAsync(proxy);
        try
        {
            using var client = new InstructTuneClient(new ClientOptions { Address = new Uri($"http://127.0.0.1:{proxy.Port}"), ReconnectTimeout = Longest });
            var seen = new SeenEvents();
            var watching = seen.FollowAsync(client.FineTuneJob($"fineTuneJobs/{id}"), Ct);
            var faults = 2 * FaultSettings.Kills;
            for (var fault = 1; fault <= faults; fault++)
            {
                await ReportAsync(store, job, fault * FaultSettings.Events / faults, seen.Reported);
                seen.Reported = fault * FaultSettings.Events / faults;
                // In the middle of the stream, not after it.
                await seen.ReachesAsync(random.Next(1, (int)seen.Reported), Longest);
                if (fault % 2 == 0)
                {
                    proxy.Reset();
                    continue;
                }

                await server.KillAsync();
                server.Dispose();
                server = await StartAsync(proxy);
            }

            await store.CompleteSucceededAsync(id, 1, "", "r", Ct);
            await watching.WaitAsync(Longest, Ct);
            Assert.Equal(Enumerable.Range(1, FaultSettings.Events + 3).Select(number => (long)number), seen.Sequences);
            await InvariantChecker.CheckQueueAsync(store, Ct);
        }
        finally
        {
            server.Dispose();
        }
    }

    private static async Task ReportAsync(JobStore store, JobRecord job, long upTo, long after)
    {
        for (var number = after + 1; number <= upTo; number++)
        {
            await store.ReportAsync(
                new JobReport { Id = job.Id, Attempt = 1, Number = number, Body = new MetricsBody(number, upTo, "", new Dictionary<string, double>()) }, Ct);
        }
    }

    private async Task<WorkerProcess> StartAsync(FaultProxy proxy)
    {
        var port = FreePort.Next();
        var server = WorkerProcess.Start(
        [
            new("Trainer:Role", "Api"),
            new("urls", $"http://127.0.0.1:{port}"),
            new("Storage:Root", _folder.Path),
            new("Redis:Configuration", (await stores.ServerAsync(StoreKind.Redis)).Configuration),
            new("Peers:Dataset", "http://127.0.0.1:1"),
        ]);
        proxy.TargetPort = port;
        return server;
    }

    private sealed class SeenEvents
    {
        private readonly List<long> _sequences = [];

        public long Reported { get; set; }

        public IReadOnlyList<long> Sequences => _sequences;

        public async Task FollowAsync(FineTuneJobHandle job, CancellationToken ct)
        {
            // The client gives up on a server that it never reached; this one is still starting.
            while (_sequences.Count == 0)
            {
                try
                {
                    await foreach (var entry in job.WatchAsync(0, ct))
                    {
                        lock (_sequences)
                        {
                            _sequences.Add(entry.Sequence);
                        }
                    }
                }
                catch (InstructTuneException) when (_sequences.Count == 0)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
                }
            }
        }

        public Task ReachesAsync(long sequence, TimeSpan longest) => Eventually.HoldsAsync(
            () =>
            {
                lock (_sequences)
                {
                    return _sequences.Count > 0 && _sequences[^1] >= sequence;
                }
            },
            $"event {sequence} arrives",
            longest);
    }
}
