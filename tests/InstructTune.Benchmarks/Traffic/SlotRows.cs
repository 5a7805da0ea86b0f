using System.Globalization;
using InstructTune.Testing.Load;
using InstructTune.V1;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>One of eight callers leaves: when has the engine its slot back?</summary>
internal sealed class SlotRows(TrafficOptions options, TrafficServer server, IdleMachine machine)
{
    private const int Streams = 8;
    private const int PromptTokens = 16;
    private const int StreamTokens = 1200;

    /// <summary>Between two questions, so that asking does not keep a processor from the engine.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(2);

    private static readonly TimeSpan s_settling = TimeSpan.FromMilliseconds(50);

    private readonly TrafficRequests _requests = new(seed: 5);
    private readonly List<double> _questions = [];

    public async Task RunAsync(Floors floors)
    {
        var idle = await machine.WaitAsync();
        await using var others = new ClosedLoop(server, Streams - 1, (_, _) => _requests.Of(TrafficStore.Base, PromptTokens, StreamTokens));
        List<(double Seconds, double Steps)> freed = [];
        for (var i = 0; i < options.Cancels; i++)
        {
            freed.Add(await CancelAsync());
        }

        var until = RunClock.Now;
        double[] steps = [.. (await others.StopAsync()).SelectMany(trace => trace.Gaps()).Where(gap => gap.To < until).Select(gap => gap.Seconds)];
        var used = (await server.StatsAsync()).CacheUsedBytes;
        var seconds = freed.Select(one => one.Seconds).ToArray();
        var table = new Markdown("cancelled", "ms to the slot, p50 / p99", "steps ended meanwhile, p50 / p99", "ms between tokens of the others, p50 / p99", "ms between questions, p50 / p99", "bytes of slots at the end", "idle before");
        table.Add(
            freed.Count.ToString(CultureInfo.InvariantCulture), Markdown.Milliseconds(seconds, 0.5, 0.99),
            string.Join(" / ", new[] { 0.5, 0.99 }.Select(share => Markdown.Of(Percentiles.Of(freed.Select(one => one.Steps), share), "F0"))),
            Markdown.Milliseconds(steps, 0.5, 0.99), Markdown.Milliseconds(_questions, 0.5, 0.99), used.ToString(CultureInfo.InvariantCulture), Markdown.Of(idle, "P0"));
        table.Print($"One of {Streams} streams is cancelled");
        Judge(floors, seconds, steps, used);
        var ended = freed.Select(one => one.Steps).ToArray();
        floors.Add("no more than the step that ran when a caller left is computed with it, p50", Markdown.Of(Percentiles.Of(ended, 0.5), "F0") + " steps ended", Percentiles.Of(ended, 0.5) <= 1);
    }

    private void Judge(Floors floors, double[] seconds, double[] steps, long used)
    {
        foreach (var (name, share) in new[] { ("p50", 0.5), ("p99", 0.99) })
        {
            var limit = Percentiles.Of(steps, share) + Percentiles.Of(_questions, share);
            floors.Add(
                $"a cancelled stream's slot is free within one step and one question, {name}",
                string.Create(CultureInfo.InvariantCulture, $"{Percentiles.Of(seconds, share) * 1000:F1} ms of {limit * 1000:F1} ms"), Percentiles.Of(seconds, share) <= limit);
        }

        floors.Add("no slot is left at the end", string.Create(CultureInfo.InvariantCulture, $"{used} bytes"), used == 0);
    }

    private async Task<(double Seconds, double Steps)> CancelAsync()
    {
        using var leaving = new CancellationTokenSource();
        var trace = new RequestTrace(RunClock.Now);
        var call = server.StreamAsync(_requests.Of(TrafficStore.Base, PromptTokens, StreamTokens), trace, leaving.Token);
        await trace.Begun;
        // Anywhere in a step, and in one in which all only decode.
        await RunClock.WaitAsync(s_settling * (1 + _requests.Uniform()));
        var before = await UntilAsync(Streams);
        await leaving.CancelAsync();
        var left = RunClock.Now;
        var after = await UntilAsync(Streams - 1);
        var freed = RunClock.Now - left;
        await call;
        return (freed, after.StepCount - before.StepCount);
    }

    /// <summary>Asks until so many have a slot; a stream of the others that has just ended is counted with them again before long.</summary>
    private async Task<ServingStats> UntilAsync(int running)
    {
        while (true)
        {
            var asked = RunClock.Now;
            var stats = await server.StatsAsync();
            if (stats.RunningSequences == running)
            {
                return stats;
            }

            await RunClock.WaitAsync(s_pause);
            _questions.Add(RunClock.Now - asked);
        }
    }
}
