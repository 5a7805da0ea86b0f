namespace InstructTune.Modeling.Quantization;

/// <summary>
/// Finds the nearest of at most 256 levels, of two equally near the lower. The upper half of a value's bits says at which level to begin; the levels of
/// a dynamic map lie so far apart that one step more is rarely needed.
/// </summary>
public sealed class LevelSearch
{
    private const int KeyBits = 16;

    private readonly float[] _borders;
    private readonly byte[] _first = new byte[1 << KeyBits];

    /// <param name="levels">In ascending order.</param>
    public LevelSearch(ReadOnlySpan<float> levels)
    {
        // Behind the last level nothing goes on.
        _borders = new float[levels.Length];
        _borders[^1] = float.PositiveInfinity;
        for (var i = 0; i + 1 < levels.Length; i++)
        {
            _borders[i] = (levels[i] + levels[i + 1]) / 2;
        }

        for (uint key = 0; key < _first.Length; key++)
        {
            // The least value of a key: of negative ones that with the greatest bits.
            var isNegative = key >> (KeyBits - 1) != 0;
            _first[key] = Bisect(BitConverter.UInt32BitsToSingle((key << KeyBits) | (isNegative ? ushort.MaxValue : 0u)));
        }
    }

    /// <summary>The code of a value's level; of a NaN the first.</summary>
    public byte CodeOf(float value)
    {
        var code = _first[BitConverter.SingleToUInt32Bits(value) >> KeyBits];
        while (_borders[code] < value)
        {
            code++;
        }

        return code;
    }

    private byte Bisect(float value)
    {
        var (low, high) = (0, _borders.Length - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _borders[middle] < value ? (middle + 1, high) : (low, middle);
        }

        return (byte)low;
    }
}
