namespace InstructTune.Modeling.Quantization;

/// <summary>
/// Blocks of eight-bit codes into a map of 256 levels, with one scale each. A code is that of the nearest level, of two equally near the
/// lower: the exact rule, from which bitsandbytes' CPU code strays by rounding to a grid first.
/// </summary>
public static class EightBitBlocks
{
    /// <summary>Values of one scale.</summary>
    public const int BlockSize = 256;

    /// <summary>Codes and scales of values.</summary>
    public static void Quantize(ReadOnlySpan<float> values, LevelSearch levels, Span<byte> codes, Span<float> absmax)
    {
        Span<float> scaled = stackalloc float[BlockSize];
        for (var block = 0; block < absmax.Length; block++)
        {
            var start = block * BlockSize;
            var source = values[start..Math.Min(start + BlockSize, values.Length)];
            absmax[block] = BlockScale.Apply(source, BlockSize, scaled);
            for (var i = 0; i < source.Length; i++)
            {
                codes[start + i] = levels.CodeOf(scaled[i]);
            }
        }
    }

    /// <summary>The values that codes and scales stand for.</summary>
    public static void Dequantize(ReadOnlySpan<byte> codes, ReadOnlySpan<float> absmax, ReadOnlySpan<float> map, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = map[codes[i]] * absmax[i / BlockSize];
        }
    }
}
