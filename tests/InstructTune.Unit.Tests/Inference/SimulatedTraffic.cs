using System.Security.Cryptography;
using System.Text;
using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>Random requests: few beginnings that many share, several adapters, tenants and urgencies, some that fail.</summary>
internal sealed class SimulatedTraffic(Random random, PrefixKeys keys)
{
    private const int Longest = 900;

    private static readonly string?[] _adapters = [null, "red", "blue"];
    private static readonly string[] _tenants = ["ann", "bob", "cy"];

    private readonly int[][] _beginnings = [.. Enumerable.Range(0, 4).Select(start => Enumerable.Range(start * 1000, Longest).ToArray())];

    public SimulatedSequence Next(string baseKey, int largestTokens, long now)
    {
        var promptTokens = random.Next(1, random.Next(8) == 0 ? largestTokens : Math.Min(largestTokens, 220));
        var outputTokens = random.Next(1, Math.Min(random.Next(6) == 0 ? 300 : 40, largestTokens - promptTokens + 1) + 1);
        var ids = _beginnings[random.Next(_beginnings.Length)][..promptTokens];
        if (random.Next(2) == 0)
        {
            ids[random.Next(promptTokens)] = 77;
        }
        var standing = new Standing(_tenants[random.Next(_tenants.Length)], (Urgency)random.Next(3));
        var adapter = _adapters[random.Next(_adapters.Length)];
        return new SimulatedSequence(
            baseKey, now, promptTokens, outputTokens, failsAt: random.Next(200) == 0 ? promptTokens : -1, standing, ids, adapter)
        {
            Prefix = random.Next(10) == 0 ? null : keys.ChainOf(ids, ScopeOf(baseKey, adapter, standing.Tenant), reads: random.Next(10) > 0),
        };
    }

    private static PrefixScope ScopeOf(string baseKey, string? adapter, string tenant) =>
        new(Digest(baseKey), adapter is null ? null : Digest(adapter), tenant, "") { Format = 1 };

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
