using System.Globalization;
using InstructTune.Testing.Load;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Capacity first, then random arrivals at shares of it, open loop.</summary>
internal sealed class ArrivalRows(TrafficOptions options, TrafficServer server, IdleMachine machine)
{
    private const int PromptTokens = 64;
    private const int OutputTokens = 32;
    private const int Callers = 16;

    /// <summary>The prompts of all callers come at once; after that they are apart.</summary>
    private static readonly TimeSpan s_beginning = TimeSpan.FromSeconds(4);
    private static readonly double[] s_shares = [0.25, 0.5, 0.75, 0.9, 1.1];

    private readonly TrafficRequests _requests = new(seed: 2);

    public async Task RunAsync()
    {
        var (capacity, idle) = await CapacityAsync();
        var table = new Markdown(
            "load", "requests/s", "requests", "good", "good/s", "refused", "ms to the first, p50 / p90 / p99", "ms per token after it, p50 / p99", "tok/s", "idle before");
        foreach (var share in s_shares)
        {
            List<Round> rounds = [];
            for (var round = 0; round < options.ArrivalRounds; round++)
            {
                rounds.Add(await MeasureAsync(share * capacity, round));
            }

            Add(table, share, share * capacity, rounds);
        }

        table.Print(string.Create(CultureInfo.InvariantCulture,
            $"Random arrivals, prompt {PromptTokens}, output {OutputTokens}; capacity {capacity:F2} requests/s ({capacity * OutputTokens:F0} tok/s) with {Callers} callers, idle before {idle:P0}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\nGood: first token within {Goodput.LongestFirstTokenSeconds} s and {Goodput.LongestSecondsPerToken * 1000} ms per token after it. Arrivals of {options.ArrivalRounds} x {options.Arrivals.TotalSeconds} s."));
    }

    /// <summary>Answers per second to callers who each wait for theirs.</summary>
    private async Task<(double PerSecond, double Idle)> CapacityAsync()
    {
        var idle = await machine.WaitAsync();
        await using var loop = new ClosedLoop(server, Callers, (stream, request) =>
            _requests.Of(TrafficStore.Base, PromptTokens, request == 0 ? (stream + 1) * OutputTokens / Callers : OutputTokens));
        await RunClock.WaitAsync(s_beginning);
        var from = RunClock.Now;
        await RunClock.WaitAsync(options.CapacityWindow);
        var window = new Span(from, RunClock.Now);
        // Tokens and not ends of requests: at the borders of the window there are parts of requests.
        return ((await loop.StopAsync()).Sum(trace => trace.TokensWithin(window)) / window.Seconds / OutputTokens, idle);
    }

    private async Task<Round> MeasureAsync(double perSecond, int round)
    {
        var idle = await machine.WaitAsync();
        var count = Math.Max(2, (int)(perSecond * options.Arrivals.TotalSeconds));
        var arrivals = ArrivalTimes.Poisson(count, perSecond, new Random((1000 * round) + count));
        var traces = new Task<RequestTrace>[count];
        var sent = await OpenLoopSender.SendAsync(
            arrivals, TimeSpan.MaxValue, number => traces[number] = server.StreamAsync(_requests.Of(TrafficStore.Base, PromptTokens, OutputTokens)), CancellationToken.None);
        await Task.WhenAll(sent);
        return new Round(idle, await Task.WhenAll(traces));
    }

    private static void Add(Markdown table, double share, double perSecond, List<Round> rounds)
    {
        var goodputs = rounds.Select(round => Goodput.Of(round.Traces)).ToArray();
        RequestTrace[] all = [.. rounds.SelectMany(round => round.Traces)], answered = [.. all.Where(trace => trace.Outcome == Outcome.Answered)];
        table.Add(
            Markdown.Of(share, "P0"), Markdown.Of(perSecond, "F2"), all.Length.ToString(CultureInfo.InvariantCulture),
            Markdown.Of((double)all.Count(Goodput.IsGood) / all.Length, "P1"), Markdown.Of(Rounds.Median(goodputs.Select(goodput => goodput.PerSecond)), "F2"),
            all.Count(trace => trace.Outcome == Outcome.Refused).ToString(CultureInfo.InvariantCulture),
            Markdown.Milliseconds([.. answered.Select(trace => trace.FirstTokenSeconds)], 0.5, 0.9, 0.99), Markdown.Milliseconds([.. answered.Select(trace => trace.SecondsPerToken)], 0.5, 0.99),
            Markdown.Of(Rounds.Median(rounds.Select(round => round.Traces.Sum(trace => trace.Tokens) / (round.Traces.Max(trace => trace.Ended) - round.Traces.Min(trace => trace.Sent))))),
            Markdown.Of(Rounds.Median(rounds.Select(round => round.Idle)), "P0"));
    }

    private sealed record Round(double Idle, RequestTrace[] Traces);
}
