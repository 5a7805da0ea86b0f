using InstructTune.V1;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>
/// What a process does for the first time waits for the compiler, which is a cost of starts and no other row's. One adapter that nothing is
/// measured with is loaded several times, and streams with it and without run for a while.
/// </summary>
internal static class WarmUp
{
    private const int Loads = 5;
    private const int PromptTokens = 16;
    private const int OutputTokens = 48;
    private const int AdapterTokens = 4;

    public static async Task RunAsync(TrafficOptions options, TrafficServer server)
    {
        var requests = new TrafficRequests(seed: 7);
        var adapter = TrafficStore.AdapterOf(TrafficStore.WarmUpAdapter);
        await using var loop = new ClosedLoop(server, AdapterRows.Streams, (_, _) => requests.Of(TrafficStore.Base, PromptTokens, OutputTokens));
        for (var i = 0; i < Loads; i++)
        {
            await server.StreamAsync(requests.Of(adapter, PromptTokens, AdapterTokens));
            await server.Client.UnloadModelVersionAsync(new UnloadModelVersionRequest { Name = adapter });
            await RunClock.WaitAsync(options.WarmUp / Loads);
        }

        await loop.StopAsync();
    }
}
