namespace InstructTune.Benchmarks.Traffic;

/// <summary>What a start of the process costs: until it is ready, and until it has given a first token.</summary>
internal static class StartRows
{
    private const int PromptTokens = 16;

    /// <summary>Starts the process several times; the last one is handed on, with its base in memory.</summary>
    public static async Task<TrafficServer> RunAsync(TrafficOptions options, TrafficStore store, IdleMachine machine)
    {
        var table = new Markdown("start", "idle before", "ready, s", "first token, s after the start", "of that asking, s", "RSS with the base, MB");
        var requests = new TrafficRequests(seed: 6);
        await StartAsync("first of a content: codes or certificate are made", () => { });
        await StartAsync("cold: files not in memory", () => PageCache.Forget(store.BaseFolder, Path.GetDirectoryName(options.Server)!));
        List<Start> warm = [];
        TrafficServer? last = null;
        for (var i = 0; i < options.WarmStarts; i++)
        {
            last?.Dispose();
            warm.Add(await MeasureAsync(() => { }, server => last = server));
        }

        Add($"warm, median of {warm.Count}", new Start(Median(start => start.Idle), Median(start => start.Ready), Median(start => start.First), Median(start => start.Asking), Median(start => start.Bytes)));
        Add($"warm, best of {warm.Count}", new Start(Median(start => start.Idle), Least(start => start.Ready), Least(start => start.First), Least(start => start.Asking), Least(start => start.Bytes)));
        table.Print("Start of the process");
        return last!;

        async Task StartAsync(string name, Action prepare)
        {
            TrafficServer? server = null;
            Add(name, await MeasureAsync(prepare, started => server = started));
            server?.Dispose();
        }

        async Task<Start> MeasureAsync(Action prepare, Action<TrafficServer> keep)
        {
            var idle = await machine.WaitAsync();
            prepare();
            var began = RunClock.Now;
            var server = await TrafficServer.StartAsync(options, store);
            keep(server);
            var trace = await server.StreamAsync(requests.Of(TrafficStore.Base, PromptTokens, outputTokens: 1));
            return trace.Outcome == Outcome.Answered
                ? new Start(idle, server.ReadySeconds, trace.FirstAt - began, trace.FirstTokenSeconds, server.ResidentBytes)
                : throw new InvalidOperationException($"The first request of a process was {trace.Outcome}.");
        }

        void Add(string name, Start start) => table.Add(
            name, Markdown.Of(start.Idle, "P0"), Markdown.Of(start.Ready, "F2"), Markdown.Of(start.First, "F2"), Markdown.Of(start.Asking, "F2"), Markdown.Of(start.Bytes / 1e6, "F0"));

        double Median(Func<Start, double> figure) => Rounds.Median(warm.Select(figure));

        double Least(Func<Start, double> figure) => warm.Min(figure);
    }

    private sealed record Start(double Idle, double Ready, double First, double Asking, double Bytes);
}
