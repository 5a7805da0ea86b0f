using InstructTune.Modeling.Prompts;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Prompts;

/// <summary>Collects what differs from reference masks, and tells every case to the parity log.</summary>
internal sealed class MaskComparison(string family)
{
    private readonly List<string> _wrong = [];
    private int _cases;

    public void Add(string name, EncodedExample expected, EncodedExample found) => Add(name, Difference(expected, found));

    public void Add(string name, string? difference)
    {
        _cases++;
        ParityLog.IsEqual(family, name, difference is null);
        _wrong.AddRange(difference is null ? [] : [$"{name}: {difference}"]);
    }

    public void AssertNone()
    {
        Assert.True(_cases > 0, $"{family}: no case");
        Assert.True(_wrong.Count == 0, $"{_wrong.Count} of {_cases} differ:\n{string.Join('\n', _wrong)}");
    }

    private static string? Difference(EncodedExample expected, EncodedExample found)
    {
        var at = expected.Ids.AsSpan().CommonPrefixLength(found.Ids);
        if (at < expected.Ids.Length || at < found.Ids.Length)
        {
            return $"ids differ at {at} of {expected.Ids.Length}: {string.Join(',', found.Ids.Skip(at).Take(6))} in place of {string.Join(',', expected.Ids.Skip(at).Take(6))}";
        }

        at = expected.Trained.AsSpan().CommonPrefixLength(found.Trained);
        return at == expected.Trained.Length ? null : $"masks differ at {at}: {found.Trained[at]}";
    }
}
