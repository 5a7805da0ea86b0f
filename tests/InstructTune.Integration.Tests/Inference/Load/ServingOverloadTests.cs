using System.Diagnostics;
using InstructTune.Testing;
using InstructTune.Testing.Load;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference.Load;

/// <summary>
/// Ten times what the server can do, open loop. The long form is <c>eng/run serving-overload [SECONDS]</c>; only there, on a quiet
/// machine, are times held against their bounds.
/// </summary>
[Collection(Alone.Name)]
public sealed class ServingOverloadTests
{
    private const string Model = "models/medium/versions/1";

    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_times_the_capacity_is_served_at_capacity_and_everything_else_refused_at_once()
    {
        var seconds = SoakOptions.Setting("INSTRUCTTUNE_OVERLOAD_SECONDS", 4);
        var isLong = seconds >= 60;
        var duration = TimeSpan.FromSeconds(seconds);
        await using var host = await InferenceHost.StartAsync(
            ("Inference:MaxRunning", "8"), ("Inference:MaxWaiting", "64"), ("Inference:WeightFormat", "float32"));
        await host.PublishBaseAsync(Model, folder => TinyModel.Write(folder, seed: 1, contextTokens: 512, width: 256, layers: 6));
        await host.GenerateAsync(Flood(0));

        var best = await BestAsync(host, TimeSpan.FromSeconds(isLong ? 15 : 2));
        var calm = await LightAsync(host, perSecond: 0.8 * best, TimeSpan.FromSeconds(isLong ? 30 : 2));
        if (isLong)
        {
            // Refusals have not been asked for yet: their first seconds are those of the compiler.
            await LightAsync(host, perSecond: 10 * best, TimeSpan.FromSeconds(10));
            await host.IsIdleAsync();
        }
        var before = Environment.WorkingSet;
        var (pause, collections) = (GC.GetTotalPauseDuration(), Collections());
        using var probing = CancellationTokenSource.CreateLinkedTokenSource(_ct);
        var probe = ProbeAsync(probing.Token);
        var flood = await LightAsync(host, perSecond: 10 * best, duration);
        var watch = Stopwatch.StartNew();
        await host.IsIdleAsync();
        await probing.CancelAsync();
        var turns = await probe;
        TestContext.Current.SendDiagnosticMessage(
            "meanwhile a thread of the pool was had after p50 {0:0.0} ms, p99 {1:0.0} ms: what the machine itself adds to every answer",
            Percentiles.Of(turns, 0.5).TotalMilliseconds, Percentiles.Of(turns, 0.99).TotalMilliseconds);
        TestContext.Current.SendDiagnosticMessage("refusals of 40 ms or more began at s: {0}", string.Join(" ", flood.Load.Slow.Select(slow => FormattableString.Invariant($"{slow.At.TotalSeconds:0.00}({slow.Took.TotalMilliseconds:0})"))));
        TestContext.Current.SendDiagnosticMessage(
            "collections of generations 0, 1 and 2 during the flood: {0}; all threads stopped for {1:0} ms in all", string.Join(", ", Collections().Zip(collections, (after, at) => after - at)),
            (GC.GetTotalPauseDuration() - pause).TotalMilliseconds);

        var verdict = new Verdict(FormattableString.Invariant($"Ten times the capacity for {seconds} s, open loop; best rate {best:0.0} answers/s"));
        Judge(verdict, best, flood.Goodput, flood.Load, isLong);
        var (beside, ratio) = (Percentiles.Of(flood.Light.Answers, 0.5), Percentiles.Of(flood.Light.Answers, 0.5) / Percentiles.Of(calm.Light.Answers, 0.5));
        verdict.Add(
            "light tenant: every request answered", $"{flood.Light.Answers.Count} answered, {flood.Light.Refusals.Count} refused, {flood.Light.Faults.Count} other faults",
            flood.Light is { Refusals.IsEmpty: true, Faults.IsEmpty: true, Answers.IsEmpty: false });
        verdict.Add(
            "light tenant: p50 beside 10x at most 2 times that beside 0.8x", FormattableString.Invariant($"{beside.TotalMilliseconds:0} ms, {ratio:0.00} times"), ratio <= 2, isLong);
        verdict.Add("idle within 10 s of the flood's end", FormattableString.Invariant($"{watch.Elapsed.TotalSeconds:0.0} s"), watch.Elapsed < TimeSpan.FromSeconds(10), isLong);
        verdict.Add("memory flat (10 % at most)", FormattableString.Invariant($"{before / 1e6:0} -> {Environment.WorkingSet / 1e6:0} MB"), Environment.WorkingSet <= before * 1.1, isLong);
        verdict.Close();
    }

    private static void Judge(Verdict verdict, double best, double goodput, OpenLoop load, bool isLong)
    {
        var (p50, p99) = (Percentiles.Of(load.Refusals, 0.5).TotalMilliseconds, Percentiles.Of(load.Refusals, 0.99).TotalMilliseconds);
        verdict.Add("everything else refused with RetryInfo", $"{load.Answers.Count} answered, {load.Refusals.Count} refused, {load.Faults.Count} other faults",
            load.Faults.IsEmpty && load.Refusals.Count > load.Answers.Count);
        verdict.Add("goodput at least 90 % of the best", FormattableString.Invariant($"{goodput:0.0} answers/s, {goodput / best:P0}"), goodput >= 0.9 * best, isLong);
        verdict.Add("p99 of refusals under 50 ms", FormattableString.Invariant($"p50 {p50:0.0} ms, p99 {p99:0.0} ms"), p99 < 50, isLong);
    }

    /// <summary>How long a thread of the pool is waited for, which no answer can be faster than. Asked from a thread of its own.</summary>
    private static Task<List<TimeSpan>> ProbeAsync(CancellationToken cancellationToken) => Task.Factory.StartNew(
        () =>
        {
            List<TimeSpan> waits = [];
            using var ran = new ManualResetEventSlim();
            while (!cancellationToken.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(10)))
            {
                ran.Reset();
                var began = Stopwatch.GetTimestamp();
                ThreadPool.UnsafeQueueUserWorkItem(static waiting => waiting.Set(), ran, preferLocal: false);
                ran.Wait(CancellationToken.None);
                waits.Add(Stopwatch.GetElapsedTime(began));
            }
            return waits;
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static int[] Collections() => [GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2)];

    private static async Task<double> BestAsync(InferenceHost host, TimeSpan duration)
    {
        var best = 0.0;
        foreach (var callers in new[] { 8, 12, 16 })
        {
            best = Math.Max(best, await OpenLoop.ClosedAsync(host, Flood, callers, duration));
        }
        return best;
    }

    /// <summary>One tenant at a rate, and another beside it with one request after the other.</summary>
    private static async Task<(double Goodput, OpenLoop Load, OpenLoop Light)> LightAsync(InferenceHost host, double perSecond, TimeSpan duration)
    {
        var load = new OpenLoop(host, Flood);
        var light = new OpenLoop(host, _ => Light());
        var flooding = load.RunAsync(perSecond, duration, _ct);
        await Eventually.HoldsAsync(() => !load.Answers.IsEmpty || flooding.IsCompleted, "the load has begun");
        while (!flooding.IsCompleted)
        {
            await light.CallAsync(Light(), _ct);
        }
        // The light tenant has a part of what the server can do.
        return (await flooding + (light.Answers.Count / duration.TotalSeconds), load, light);
    }

    private static GenerateRequest Flood(int index) => RequestOf("flood", (ulong)index);

    private static GenerateRequest Light() => RequestOf("light", 5);

    private static GenerateRequest RequestOf(string tenant, ulong seed)
    {
        var request = Requests.Sampled(Model, $"request {seed} of the tenant", seed, maxTokens: 80);
        request.Sampling.IgnoreEos = true;
        request.Tenant = tenant;
        return request;
    }
}
