using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Numerics;

/// <summary>Uniform numbers from -1 to below 1 as a pure function of seed and position, as <see cref="DropoutMask"/> makes its masks.</summary>
public static class UniformNoise
{
    // The 24 bits that a float32 of this range holds.
    private const float Unit = 1f / (1 << 23);

    /// <summary>Draws a tensor. The caller disposes it.</summary>
    public static Tensor Draw(long[] shape, StepSeed seed)
    {
        var noise = empty(shape, ScalarType.Float32);
        Fill(MemoryMarshal.Cast<byte, float>(noise.bytes), seed.Value);
        return noise;
    }

    /// <summary>Draws rows that do not depend on which others are in the pass. The caller disposes the tensor.</summary>
    public static Tensor Draw(long rows, long columns, RowSeeds seeds)
    {
        var noise = empty([rows, columns], ScalarType.Float32);
        var values = MemoryMarshal.Cast<byte, float>(noise.bytes);
        foreach (var run in seeds.Runs(rows))
        {
            Fill(values.Slice((int)(run.First * columns), (int)(run.Count * columns)), run.Seed.Value);
        }

        return noise;
    }

    internal static void Fill(Span<float> noise, ulong seed)
    {
        var (low, high) = ((uint)seed, (uint)(seed >> 32));
        var i = 0;
        for (; i <= noise.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            var index = Vector256.Create((uint)i) + Vector256.Create(0u, 1, 2, 3, 4, 5, 6, 7);
            var hash = DropoutMask.Mix(DropoutMask.Mix(index ^ Vector256.Create(low)) + Vector256.Create(high));
            ((Vector256.ConvertToSingle((hash >> 8).AsInt32()) * Unit) - Vector256<float>.One).CopyTo(noise[i..]);
        }

        for (; i < noise.Length; i++)
        {
            noise[i] = ((DropoutMask.Mix(DropoutMask.Mix((uint)i ^ low) + high) >> 8) * Unit) - 1;
        }
    }
}
