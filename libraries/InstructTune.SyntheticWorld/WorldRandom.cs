namespace InstructTune.SyntheticWorld;

/// <summary>
/// Numbers that are a pure function of the seed and the purpose, on every machine and version: SplitMix64. The generator of the
/// framework does not promise its sequence.
/// </summary>
internal sealed class WorldRandom
{
    private ulong _state;

    public WorldRandom(ulong seed, string purpose)
    {
        _state = seed;
        // FNV-1a, so that streams for different purposes do not run in step.
        var hash = 14695981039346656037UL;
        foreach (var character in purpose)
        {
            hash = (hash ^ character) * 1099511628211UL;
        }

        _state = NextBits() ^ hash;
    }

    /// <summary>Uniform in [0, count).</summary>
    public int Next(int count) => (int)((UInt128)NextBits() * (ulong)count >> 64);

    /// <summary>Uniform in [0, 1).</summary>
    public double NextFraction() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    /// <summary>Different items, in random order.</summary>
    public List<T> Draw<T>(IReadOnlyList<T> items, int count)
    {
        var pool = items.ToList();
        for (var i = 0; i < count; i++)
        {
            var j = i + Next(pool.Count - i);
            (pool[i], pool[j]) = (pool[j], pool[i]);
        }

        return pool[..count];
    }

    private ulong NextBits()
    {
        var z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
