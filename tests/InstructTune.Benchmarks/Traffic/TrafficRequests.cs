using InstructTune.V1;

namespace InstructTune.Benchmarks.Traffic;

/// <summary>Greedy requests of a fixed length over random ids, so that no prompt is in the cache unless it is meant to be.</summary>
internal sealed class TrafficRequests(int seed)
{
    private const int FirstId = 1000;
    private const int LastId = 40_000;

    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();

    public double Uniform()
    {
        lock (_lock)
        {
            return _random.NextDouble();
        }
    }

    public int[] Ids(int count)
    {
        lock (_lock)
        {
            return [.. Enumerable.Range(0, count).Select(_ => _random.Next(FirstId, LastId))];
        }
    }

    public GenerateRequest Of(string model, int promptTokens, int outputTokens) => Of(model, Ids(promptTokens), outputTokens);

    public static GenerateRequest Of(string model, IEnumerable<int> promptIds, int outputTokens)
    {
        var request = new GenerateRequest
        {
            Model = model, TokenIds = new TokenIds(), MaxOutputTokens = outputTokens, Sampling = new SamplingParameters { Temperature = 0, IgnoreEos = true },
        };
        request.TokenIds.Ids.AddRange(promptIds);
        return request;
    }
}
