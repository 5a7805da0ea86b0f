using System.Globalization;
using InstructTune.Jobs;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.JobsLoad;

/// <summary>Many jobs, few workers, some of which crash or wake long after their lease: none is lost, none published twice.</summary>
internal static class LoadRun
{
    private const int LatencyJobs = 1000;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);
    private static readonly TimeProvider Clock = TimeProvider.System;

    public static async Task<bool> RunAsync(StoreKind kind, LoadSettings settings)
    {
        await using var server = await ProcessStore.StartAsync(kind);
        await using var redis = Connect(server);
        var store = new JobStore(redis, "load", new LeaseOptions { RetryUnit = TimeSpan.Zero });
        await Eventually.HoldsAsync(() => AnswersAsync(store), "the store answers", TimeSpan.FromSeconds(60));
        var latencies = await LatenciesAsync(new JobStore(redis, "latency"));
        using var done = new CancellationTokenSource();
        await using var progress = LoadProgress.Start(kind, store, Clock);

        var started = Clock.GetTimestamp();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, settings.Jobs),
            new ParallelOptions { MaxDegreeOfParallelism = settings.Workers },
            async (number, ct) => await store.CreateAsync(new NewJob { Id = $"j{number}", Spec = "{}", MaxAttempts = 50 }, ct));
        var created = Clock.GetElapsedTime(started);
        started = Clock.GetTimestamp();
        var reaping = ReapAsync(store, done.Token);
        // As in production: workers of one process share its connection, and the embedded Garnet has one process only. Its sessions
        // would wait for each other by spinning on the queue's lock; processes beside each other have redis-server.
        var connections = Enumerable.Range(0, settings.Workers).Select(_ => kind == StoreKind.Garnet ? redis : Connect(server)).ToArray();
        var workers = connections.Select((connection, number) => new LoadWorker(connection, settings.Seed + number, Lease)).ToArray();
        await Task.WhenAll(workers.Select(worker => worker.RunAsync()));
        var worked = Clock.GetElapsedTime(started);
        await done.CancelAsync();
        await reaping;
        foreach (var connection in connections.Where(connection => connection != redis))
        {
            await connection.DisposeAsync();
        }

        Console.WriteLine($"{kind}: every worker is done after {worked.TotalSeconds:N0} s; checking each job's history");
        var jobs = await InvariantChecker.CheckQueueAsync(store, CancellationToken.None);
        var lost = settings.Jobs - jobs.Count(job => job.State == JobState.Succeeded);
        var published = workers.Sum(worker => worker.Published);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{kind}: {settings.Jobs} jobs, {settings.Workers} workers, seed {settings.Seed}: lost {lost}, published twice {published - jobs.Count(job => job.State == JobState.Succeeded)}, crashes {workers.Sum(worker => worker.Crashes)}, zombies {workers.Sum(worker => worker.Zombies)} with {workers.Sum(worker => worker.Refused)} late writes refused"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  created {settings.Jobs / created.TotalSeconds:N0} jobs/s, done {settings.Jobs / worked.TotalSeconds:N0} jobs/s (4 calls each); create to acquire p50 {Percentile(latencies, 0.5):N2} ms, p99 {Percentile(latencies, 0.99):N2} ms"));
        return lost == 0 && published == settings.Jobs;
    }

    private static RedisConnection Connect(StoreServer server) =>
        new(new RedisOptions { Configuration = server.Configuration, Patience = TimeSpan.FromSeconds(60) }, Clock);

    // From the call that creates a job to the answer that hands it to a waiting worker.
    private static async Task<List<double>> LatenciesAsync(JobStore store)
    {
        var latencies = new List<double>();
        using var signals = new JobSignals(store, Clock);
        await signals.ListenAsync(CancellationToken.None);
        for (var number = 0; number < LatencyJobs; number++)
        {
            var wake = signals.Wake;
            var start = Clock.GetTimestamp();
            var creating = store.CreateAsync(new NewJob { Id = $"l{number}", Spec = "{}" });
            await wake;
            while (await store.AcquireAsync("w", "n", TimeSpan.FromMinutes(5)) is null)
            {
                // The hint came before the job was seen: look again.
            }

            latencies.Add(Clock.GetElapsedTime(start).TotalMilliseconds);
            await creating;
        }

        latencies.Sort();
        return latencies;
    }

    private static double Percentile(List<double> sorted, double part) => sorted[(int)(part * (sorted.Count - 1))];

    private static async Task ReapAsync(JobStore store, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                await store.ReapAsync(sweep: false, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // Everything is done.
        }
    }

    private static async Task<bool> AnswersAsync(JobStore store)
    {
        try
        {
            await store.GetAsync("a");
            return true;
        }
        catch (StoreUnreachableException)
        {
            return false;
        }
    }
}
