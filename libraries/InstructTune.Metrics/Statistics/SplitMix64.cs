namespace InstructTune.Metrics.Statistics;

/// <summary>A small generator whose sequence is part of the contract, so that resampling repeats everywhere.</summary>
public sealed class SplitMix64(ulong state)
{
    private ulong _state = state;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>An index in [0, <paramref name="count"/>).</summary>
    public long NextIndex(long count) => (long)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>The first <paramref name="take"/> numbers of a random permutation of 0 up to <paramref name="count"/>, exclusive.</summary>
    public long[] Permute(long count, long take)
    {
        var numbers = new long[count];
        for (var i = 0L; i < count; i++)
        {
            numbers[i] = i;
        }
        take = Math.Min(take, count);
        for (var i = 0L; i < take; i++)
        {
            var other = i + NextIndex(count - i);
            (numbers[i], numbers[other]) = (numbers[other], numbers[i]);
        }
        return numbers[..(int)take];
    }
}
