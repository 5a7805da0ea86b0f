namespace InstructTune.Kernels;

/// <summary>Rows of weights in blocks of 32, coded as GGUF does it: Q8_0 and Q4_0.</summary>
public static class QuantizedRow
{
    /// <summary>Weights that share a scale.</summary>
    public const int BlockWeights = 32;

    private const float MostInt8 = 127f;
    private const float Int4Offset = 8f;

    /// <summary>Q8_0: scale max|w| / 127 in half precision, code = w / scale to nearest, halves away from zero.</summary>
    public static void ToInt8(ReadOnlySpan<float> block, Span<sbyte> codes, out Half scale)
    {
        var most = 0f;
        foreach (var weight in block)
        {
            most = MathF.Max(most, MathF.Abs(weight));
        }

        var exact = most / MostInt8;
        var inverse = exact == 0 ? 0 : 1 / exact;
        scale = (Half)exact;
        codes.Clear();
        for (var i = 0; i < block.Length; i++)
        {
            codes[i] = (sbyte)MathF.Round(block[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }

    /// <summary>Q4_0: scale (weight of greatest magnitude) / -8 in half precision, code = min(15, trunc(w / scale + 8.5)); it stands for code - 8.</summary>
    public static void ToInt4(ReadOnlySpan<float> block, Span<byte> codes, out Half scale)
    {
        var most = 0f;
        foreach (var weight in block)
        {
            most = MathF.Abs(weight) > MathF.Abs(most) ? weight : most;
        }

        var exact = most / -Int4Offset;
        var inverse = exact == 0 ? 0 : 1 / exact;
        scale = (Half)exact;

        // What is missing of the last block stands for zero.
        codes.Fill((byte)Int4Offset);
        for (var i = 0; i < block.Length; i++)
        {
            codes[i] = (byte)Math.Clamp((int)((block[i] * inverse) + Int4Offset + 0.5f), 0, 15);
        }
    }
}
