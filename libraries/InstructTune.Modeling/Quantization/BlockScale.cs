namespace InstructTune.Modeling.Quantization;

/// <summary>
/// A block's values on the scale from -1 to 1, as bitsandbytes computes them on the CPU: a full block is multiplied by the reciprocal of
/// its largest magnitude; the last block, where it is short, is divided by it.
/// </summary>
internal static class BlockScale
{
    // Below this a block's scale does not shrink: the reciprocal stays a number.
    private const float LeastAbsmax = 1e-38f;

    /// <summary>Fills <paramref name="scaled"/> and returns the scale to store.</summary>
    public static float Apply(ReadOnlySpan<float> block, int blockSize, Span<float> scaled)
    {
        var largest = 0f;
        foreach (var value in block)
        {
            largest = Math.Max(largest, MathF.Abs(value));
        }

        var isShort = block.Length < blockSize;
        var least = Math.Max(largest, LeastAbsmax);
        var reciprocal = 1 / least;
        for (var i = 0; i < block.Length; i++)
        {
            scaled[i] = Math.Clamp(isShort ? block[i] / least : block[i] * reciprocal, -1, 1);
        }

        return isShort ? least : largest;
    }
}
