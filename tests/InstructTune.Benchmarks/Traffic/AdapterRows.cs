using System.Globalization;
using InstructTune.V1;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Eight closed-loop streams without adapters and with some, all in memory.</summary>
internal sealed class AdapterRows(TrafficOptions options, TrafficServer server, IdleMachine machine)
{
    public const int Streams = 8;
    private const int PromptTokens = 16;
    private const int OutputTokens = 48;
    private const double MostTax = 0.12;

    /// <summary>Streams begin apart, and what came before the window does not count.</summary>
    private static readonly TimeSpan s_beginning = TimeSpan.FromSeconds(0.4);

    private static readonly Cell[] s_cells =
    [
        new(0, Popularity.Identical), new(1, Popularity.Identical), new(2, Popularity.Uniform), new(2, Popularity.Zipf), new(4, Popularity.Uniform), new(4, Popularity.Zipf),
        new(8, Popularity.Uniform), new(8, Popularity.Zipf), new(8, Popularity.Distinct),
        new(16, Popularity.Identical), new(16, Popularity.Uniform), new(16, Popularity.Zipf), new(16, Popularity.Distinct),
        // Without adapters once more, so that each round has it at both ends.
        new(0, Popularity.Identical),
    ];

    private static readonly int[] s_quickCells = [0, 1, 8, 12, 13];

    public async Task RunAsync(Floors floors)
    {
        var cells = options.IsQuick ? [.. s_quickCells.Select(i => s_cells[i])] : s_cells;
        foreach (var i in Enumerable.Range(0, TrafficStore.Adapters))
        {
            await server.Client.LoadModelVersionAsync(new LoadModelVersionRequest { Name = TrafficStore.AdapterOf(i) });
        }

        var samples = cells.Select(_ => new List<Sample>()).ToArray();
        for (var round = -1; round < options.Repetitions; round++)
        {
            var order = Enumerable.Range(0, round < 0 ? Math.Min(2, cells.Length) : cells.Length);
            // A B, B A, A B, ... after a short round that does not count.
            foreach (var i in round % 2 == 0 ? order : order.Reverse())
            {
                var sample = await MeasureAsync(cells[i], new TrafficRequests(HashCode(round, i)));
                if (round >= 0)
                {
                    samples[i].Add(sample);
                }
            }
        }

        Tell(cells[..^1], samples, floors);
    }

    private async Task<Sample> MeasureAsync(Cell cell, TrafficRequests requests)
    {
        var draw = new AdapterDraw(cell.Popularity, Math.Max(1, cell.Adapters), Streams);
        var idle = await machine.WaitAsync();
        await using var loop = new ClosedLoop(server, Streams, (stream, request) => requests.Of(
            cell.Adapters == 0 ? TrafficStore.Base : TrafficStore.AdapterOf(draw.Next(stream, request, requests.Uniform())),
            // The first request of each stream is shorter by another part, so that they do not end together for ever.
            PromptTokens, request == 0 ? (stream + 1) * OutputTokens / Streams : OutputTokens));
        await RunClock.WaitAsync(s_beginning);
        var (from, cpu) = (RunClock.Now, server.CpuSeconds);
        await RunClock.WaitAsync(options.Window);
        var (window, taken) = (new Span(from, RunClock.Now), server.CpuSeconds - cpu);
        var traces = await loop.StopAsync();
        var tokens = traces.Sum(trace => trace.TokensWithin(window));
        return new Sample(
            tokens / window.Seconds, taken / tokens, idle,
            [.. traces.SelectMany(trace => trace.Gaps()).Where(gap => window.Contains(gap.To)).Select(gap => gap.Seconds)],
            [.. traces.Where(trace => window.Contains(trace.FirstAt)).Select(trace => trace.FirstTokenSeconds)]);
    }

    private void Tell(Cell[] cells, List<Sample>[] samples, Floors floors)
    {
        var table = new Markdown(
            "adapters", "asked for", "tok/s, median", "best", "sd/median", "to N = 0", "ms between tokens, p50 / p99", "ms to the first, p50 / p99", "CPU-s per token", "idle before");
        var without = samples[0].Zip(samples[^1], (first, last) => (first.Rate + last.Rate) / 2).ToArray();
        for (var i = 0; i < cells.Length; i++)
        {
            var own = i == 0 ? [.. samples[0], .. samples[^1]] : samples[i];
            var rate = new Repetitions([.. own.Select(sample => sample.Rate)]);
            var ratio = i == 0 ? new Repetitions([1]) : new Repetitions([.. own.Zip(without, (sample, bare) => sample.Rate / bare)]);
            table.Add(
                cells[i].Adapters.ToString(CultureInfo.InvariantCulture), cells[i].Adapters == 0 ? "" : cells[i].Popularity.ToString().ToLowerInvariant(),
                Markdown.Of(rate.Median), Markdown.Of(rate.Greatest), Markdown.Of(rate.Scatter, "P0") + (rate.IsSteady ? "" : " (scatters)"), Markdown.Of(ratio.Median, "F2"),
                Markdown.Milliseconds([.. own.SelectMany(sample => sample.Gaps)], 0.5, 0.99), Markdown.Milliseconds([.. own.SelectMany(sample => sample.Firsts)], 0.5, 0.99),
                Markdown.Of(Rounds.Median(own.Select(sample => sample.CpuPerToken)), "F5"), Markdown.Of(Rounds.Median(own.Select(sample => sample.Idle)), "P0"));
            if (cells[i] == new Cell(1, Popularity.Identical))
            {
                floors.Add(
                    $"adapter tax at most {MostTax:P0}: {Streams} streams with one adapter over none, median of pairs",
                    string.Create(CultureInfo.InvariantCulture, $"{1 - ratio.Median:P1}, sd/median {ratio.Scatter:P0}"), 1 - ratio.Median <= MostTax, ratio.IsSteady);
            }
        }

        table.Print(string.Create(CultureInfo.InvariantCulture,
            $"{Streams} closed-loop streams, prompt {PromptTokens}, output {OutputTokens}, {options.Repetitions} rounds of {options.Window.TotalSeconds} s a cell"));
    }

    private static int HashCode(int round, int cell) => ((round + 2) * 1000) + cell;

    private sealed record Cell(int Adapters, Popularity Popularity);

    private sealed record Sample(double Rate, double CpuPerToken, double Idle, double[] Gaps, double[] Firsts);
}
