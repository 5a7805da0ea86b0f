using System.Diagnostics;
using InstructTune.Testing;
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
        var before = Environment.WorkingSet;
        var flood = await LightAsync(host, perSecond: 10 * best, duration);
        var watch = Stopwatch.StartNew();
        await host.IsIdleAsync();

        TestContext.Current.SendDiagnosticMessage(
            "best {0:0.0} answers/s; at 10x {1:0.0} ({2:P0}), {3} answered, {4} refused, refusal p50 {5:0.0} ms p99 {6:0.0} ms, {7} other faults",
            best, flood.Goodput, flood.Goodput / best, flood.Load.Answers.Count, flood.Load.Refusals.Count,
            OpenLoop.Percentile(flood.Load.Refusals, 0.5).TotalMilliseconds, OpenLoop.Percentile(flood.Load.Refusals, 0.99).TotalMilliseconds, flood.Load.Faults.Count);
        TestContext.Current.SendDiagnosticMessage(
            "light tenant: p50 {0:0} ms beside 0.8x, {1:0} ms beside 10x ({2:0.00}x), {3} refused; RSS {4:0} -> {5:0} MB; idle {6:0.0} s after the flood",
            OpenLoop.Percentile(calm.Light.Answers, 0.5).TotalMilliseconds, OpenLoop.Percentile(flood.Light.Answers, 0.5).TotalMilliseconds,
            OpenLoop.Percentile(flood.Light.Answers, 0.5) / OpenLoop.Percentile(calm.Light.Answers, 0.5), flood.Light.Refusals.Count,
            before / 1e6, Environment.WorkingSet / 1e6, watch.Elapsed.TotalSeconds);
        Assert.Empty(flood.Load.Faults);
        Assert.True(flood.Load.Refusals.Count > flood.Load.Answers.Count);
        Assert.True(flood.Light is { Refusals.IsEmpty: true, Faults.IsEmpty: true, Answers.IsEmpty: false });
        if (isLong)
        {
            Assert.True(flood.Goodput >= 0.9 * best);
            Assert.True(OpenLoop.Percentile(flood.Load.Refusals, 0.99) < TimeSpan.FromMilliseconds(50));
            Assert.True(OpenLoop.Percentile(flood.Light.Answers, 0.5) <= 2 * OpenLoop.Percentile(calm.Light.Answers, 0.5));
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10));
        }
    }

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
