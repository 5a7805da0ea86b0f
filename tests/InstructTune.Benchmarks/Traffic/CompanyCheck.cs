using InstructTune.V1;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Whether tokens are right at the speed that is measured: each adapter alone, then all of them at once.</summary>
internal static class CompanyCheck
{
    private const int PromptTokens = 16;
    private const int OutputTokens = 24;

    public static async Task<(int Equal, int Requests)> RunAsync(TrafficServer server, int adapters)
    {
        var random = new TrafficRequests(seed: 9);
        GenerateRequest[] requests = [.. Enumerable.Range(0, adapters).Select(i => random.Of(TrafficStore.AdapterOf(i), PromptTokens, OutputTokens))];
        List<GenerateResponse> alone = [];
        foreach (var request in requests)
        {
            alone.Add(await server.Client.GenerateAsync(request));
        }

        var together = await Task.WhenAll(requests.Select(async request => await server.Client.GenerateAsync(request)));
        return (alone.Zip(together).Count(pair => IdsOf(pair.First).SequenceEqual(IdsOf(pair.Second))), requests.Length);
    }

    private static IEnumerable<int> IdsOf(GenerateResponse response) => response.Candidates[0].TokenIds;
}
