using System.Globalization;
using System.Security.Cryptography;
using InstructTune.Testing.Load;
using InstructTune.V1;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Adapters that are not in memory are asked for while eight streams decode.</summary>
internal sealed class FirstUseRows(TrafficOptions options, TrafficStore store, TrafficServer server, IdleMachine machine)
{
    private const int Streams = 8;
    private const int PromptTokens = 16;
    private const int StreamTokens = 1200;

    private static readonly TimeSpan s_calm = TimeSpan.FromSeconds(0.25);

    private readonly TrafficRequests _requests = new(seed: 4);
    private readonly List<Span> _busy = [];

    public async Task RunAsync(Floors floors)
    {
        var idle = await machine.WaitAsync();
        await using var loop = new ClosedLoop(server, Streams, (_, _) => _requests.Of(TrafficStore.Base, PromptTokens, StreamTokens));
        await RunClock.WaitAsync(4 * s_calm);
        var (first, resident) = await AskAllAsync();
        foreach (var i in Enumerable.Range(0, options.FirstUses))
        {
            await server.Client.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = TrafficStore.AdapterOf(i) });
        }

        var (again, _) = await AskAllAsync();
        var (plain, verified) = await ReadFilesAsync();
        var calmUntil = RunClock.Now;
        var gaps = (await loop.StopAsync()).SelectMany(trace => trace.Gaps()).Where(gap => gap.To < calmUntil).ToArray();
        var calm = Beside(gaps, []);
        Tell(idle);

        double[] Beside(Span[] all, IReadOnlyList<RequestTrace> asked) => [.. all.Where(gap => asked.Count == 0
            ? !_busy.Exists(gap.Overlaps)
            : asked.Any(trace => gap.Overlaps(new Span(trace.Sent, trace.Ended)))).Select(gap => gap.Seconds)];

        void Tell(double idleBefore)
        {
            var table = new Markdown("adapter", "asked", "ms to the first token, p50 / p99", "to resident, p50", "ms between tokens of the streams meanwhile, p50 / p99", "to calm, p50 / p99");
            Add(table, "first use: verified, read, packed", first, resident, Beside(gaps, first), calm);
            Add(table, "after it was unloaded: read, packed", again, resident, Beside(gaps, again), calm);
            Add(table, "resident", resident, resident, Beside(gaps, resident), calm);
            table.Print(string.Create(CultureInfo.InvariantCulture,
                $"{options.FirstUses} adapters of {new FileInfo(store.AdapterFile(0)).Length / 1e6:F1} MB under {Streams} streams; streams alone {Markdown.Milliseconds(calm, 0.5, 0.99)} ms between tokens; reading a file {Rounds.Median(plain) * 1000:F1} ms, with its digest {Rounds.Median(verified) * 1000:F1} ms under the same load; idle before {idleBefore:P0}"));
            var (loading, limit) = (Median(first) - Median(resident), Percentiles.Of(calm, 0.5) + Rounds.Median(verified));
            floors.Add(
                "first use of a local adapter at most one step and reading its file (its digest checked) over its use when resident, p50",
                string.Create(CultureInfo.InvariantCulture, $"{loading * 1000:F1} ms of {limit * 1000:F1} ms"), loading <= limit);
        }
    }

    /// <summary>Each adapter once when it is not there, and once when it is.</summary>
    private async Task<(RequestTrace[] Absent, RequestTrace[] Resident)> AskAllAsync()
    {
        List<RequestTrace> absent = [], resident = [];
        for (var i = 0; i < options.FirstUses; i++)
        {
            absent.Add(await AskAsync(i));
            await RunClock.WaitAsync(s_calm);
            resident.Add(await AskAsync(i));
            await RunClock.WaitAsync(s_calm);
        }

        return ([.. absent], [.. resident]);
    }

    private async Task<RequestTrace> AskAsync(int adapter)
    {
        var trace = await server.StreamAsync(_requests.Of(TrafficStore.AdapterOf(adapter), PromptTokens, outputTokens: 1));
        _busy.Add(new Span(trace.Sent, trace.Ended));
        return trace.Outcome == Outcome.Answered ? trace : throw new InvalidOperationException($"A request for an adapter was {trace.Outcome}.");
    }

    /// <summary>What reading costs on this machine at this load: the limit that the first use is held against.</summary>
    private async Task<(double[] Plain, double[] Verified)> ReadFilesAsync()
    {
        var from = RunClock.Now;
        List<double> plain = [], verified = [];
        foreach (var path in Enumerable.Range(0, options.FirstUses).Select(store.AdapterFile))
        {
            plain.Add(await Task.Run(() => Rounds.Time(() => File.ReadAllBytes(path))));
            verified.Add(await Task.Run(() => Rounds.Time(() => SHA256.HashData(File.ReadAllBytes(path)))));
        }

        _busy.Add(new Span(from, RunClock.Now));
        return ([.. plain], [.. verified]);
    }

    private static void Add(Markdown table, string name, RequestTrace[] asked, RequestTrace[] resident, double[] gaps, double[] calm) => table.Add(
        name, asked.Length.ToString(CultureInfo.InvariantCulture), Markdown.Milliseconds([.. asked.Select(trace => trace.FirstTokenSeconds)], 0.5, 0.99),
        Markdown.Of(Median(asked) / Median(resident), "F2"), Markdown.Milliseconds(gaps, 0.5, 0.99),
        string.Join(" / ", new[] { 0.5, 0.99 }.Select(share => Markdown.Of(Percentiles.Of(gaps, share) / Percentiles.Of(calm, share), "F2"))));

    private static double Median(RequestTrace[] traces) => Percentiles.Of(traces.Select(trace => trace.FirstTokenSeconds), 0.5);
}
