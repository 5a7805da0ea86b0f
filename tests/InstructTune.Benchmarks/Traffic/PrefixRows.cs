using System.Globalization;
using InstructTune.Testing.Load;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Users whose prompts begin alike, at once: the first time, again with other endings, and beside users who share nothing.</summary>
internal sealed class PrefixRows(TrafficOptions options, TrafficServer server, IdleMachine machine)
{
    private const int Users = 8;
    private const int SharedTokens = 256;
    private const int OwnTokens = 32;
    private const int OutputTokens = 4;

    private readonly TrafficRequests _requests = new(seed: 3);

    public async Task RunAsync()
    {
        List<RequestTrace[]> apart = [], cold = [], warm = [];
        List<double> idle = [];
        for (var round = -1; round < options.PrefixRounds; round++)
        {
            idle.Add(await machine.WaitAsync());
            var prefix = _requests.Ids(SharedTokens);
            var strangers = await TogetherAsync(() => _requests.Ids(SharedTokens));
            var first = await TogetherAsync(() => prefix);
            var second = await TogetherAsync(() => prefix);
            if (round >= 0)
            {
                apart.Add(strangers);
                cold.Add(first);
                warm.Add(second);
            }
        }

        var table = new Markdown("round", "ms to the first token, p50 / p99", "best round's p50", "sd/median of rounds' p50", "to no sharing", "prompt tokens from the cache, of all");
        Add(table, "no sharing", apart, apart);
        Add(table, "first: the prefix is new", cold, apart);
        Add(table, "second: the prefix is known", warm, apart);
        table.Print(string.Create(CultureInfo.InvariantCulture,
            $"{Users} users at once, prefix of {SharedTokens} and {OwnTokens} of their own, {options.PrefixRounds} rounds; idle before {Rounds.Median(idle):P0}"));
    }

    private async Task<RequestTrace[]> TogetherAsync(Func<int[]> prefix)
    {
        var requests = Enumerable.Range(0, Users).Select(_ => TrafficRequests.Of(TrafficStore.Base, [.. prefix(), .. _requests.Ids(OwnTokens)], OutputTokens)).ToArray();
        var traces = await Task.WhenAll(requests.Select(server.StreamAsync));
        return Array.TrueForAll(traces, trace => trace.Outcome == Outcome.Answered) ? traces : throw new InvalidOperationException("A request with a shared prefix was not answered.");
    }

    private static void Add(Markdown table, string name, List<RequestTrace[]> rounds, List<RequestTrace[]> apart)
    {
        var medians = new Repetitions([.. rounds.Select(MedianOf)]);
        var ratio = Rounds.Median(rounds.Zip(apart, (own, strangers) => MedianOf(own) / MedianOf(strangers)));
        var cached = rounds.Average(round => round.Sum(trace => trace.CachedTokens));
        table.Add(
            name, Markdown.Milliseconds([.. rounds.SelectMany(round => round.Select(trace => trace.FirstTokenSeconds))], 0.5, 0.99), Markdown.Of(medians.Values.Min() * 1000),
            Markdown.Of(medians.Scatter, "P0") + (medians.IsSteady ? "" : " (scatters)"), Markdown.Of(ratio, "F2"),
            string.Create(CultureInfo.InvariantCulture, $"{cached:F0} of {Users * (SharedTokens + OwnTokens)}"));
    }

    private static double MedianOf(RequestTrace[] round) => Percentiles.Of(round.Select(trace => trace.FirstTokenSeconds), 0.5);
}
