using System.Runtime.Intrinsics;

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
        var largest = GreatestMagnitude(block);
        var isShort = block.Length < blockSize;
        var least = Math.Max(largest, LeastAbsmax);
        var reciprocal = 1 / least;
        if (!isShort && Vector256.IsHardwareAccelerated)
        {
            for (var i = 0; i < block.Length; i += Vector256<float>.Count)
            {
                Vector256.Clamp(Vector256.Create(block[i..]) * reciprocal, Vector256.Create(-1f), Vector256.Create(1f)).CopyTo(scaled[i..]);
            }

            return largest;
        }

        for (var i = 0; i < block.Length; i++)
        {
            scaled[i] = Math.Clamp(isShort ? block[i] / least : block[i] * reciprocal, -1, 1);
        }

        return isShort ? least : largest;
    }

    private static float GreatestMagnitude(ReadOnlySpan<float> block)
    {
        var most = Vector256<float>.Zero;
        var i = 0;
        for (; i + Vector256<float>.Count <= block.Length; i += Vector256<float>.Count)
        {
            most = Vector256.Max(most, Vector256.Abs(Vector256.Create(block[i..])));
        }

        var largest = 0f;
        for (var lane = 0; lane < Vector256<float>.Count; lane++)
        {
            largest = Math.Max(largest, most[lane]);
        }

        for (; i < block.Length; i++)
        {
            largest = Math.Max(largest, MathF.Abs(block[i]));
        }

        return largest;
    }
}
