using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace InstructTune.Modeling.Quantization;

/// <summary>
/// Blocks of four-bit codes with one scale each, as bitsandbytes writes them: two codes a byte, the first in the high half. An odd count
/// is filled up with the code of zero.
/// </summary>
public static class FourBitBlocks
{
    /// <summary>Bytes that codes take.</summary>
    public static long PackedSize(long count) => (count + 1) / 2;

    /// <summary>Scales that values take.</summary>
    public static long BlockCount(long count, int blockSize) => (count + blockSize - 1) / blockSize;

    /// <summary>Codes and scales of values. The block size is even.</summary>
    public static void Quantize(ReadOnlySpan<float> values, int blockSize, FourBitKind kind, Span<byte> packed, Span<float> absmax)
    {
        Span<byte> codes = stackalloc byte[blockSize];
        Span<float> scaled = stackalloc float[blockSize];
        for (var block = 0; block < absmax.Length; block++)
        {
            var start = block * blockSize;
            var source = values[start..Math.Min(start + blockSize, values.Length)];
            absmax[block] = BlockScale.Apply(source, blockSize, scaled);
            Encode(kind, scaled[..source.Length], codes);
            if ((source.Length & 1) != 0)
            {
                codes[source.Length] = FourBitCode.Encode(kind, 0);
            }

            Pack(codes[..((source.Length + 1) & ~1)], packed[(start / 2)..]);
        }
    }

    /// <summary>The values that codes and scales stand for.</summary>
    public static void Dequantize(ReadOnlySpan<byte> packed, ReadOnlySpan<float> absmax, int blockSize, FourBitKind kind, Span<float> values)
    {
        var levels = FourBitCode.Levels(kind);
        for (var i = 0; i < values.Length; i++)
        {
            var pair = packed[i / 2];
            values[i] = levels[(i & 1) == 0 ? pair >> 4 : pair & 15] * absmax[i / blockSize];
        }
    }

    private static void Encode(FourBitKind kind, ReadOnlySpan<float> scaled, Span<byte> codes)
    {
        var i = 0;
        if (kind == FourBitKind.Nf4)
        {
            var eights = MemoryMarshal.Cast<float, Vector256<float>>(scaled);
            foreach (var eight in eights)
            {
                var count = Vector256<int>.Zero;
                foreach (var border in FourBitCode.Borders)
                {
                    count -= Vector256.LessThan(Vector256.Create(border), eight).AsInt32();
                }

                for (var lane = 0; lane < Vector256<int>.Count; lane++)
                {
                    codes[i++] = (byte)count[lane];
                }
            }
        }

        for (; i < scaled.Length; i++)
        {
            codes[i] = FourBitCode.Encode(kind, scaled[i]);
        }
    }

    private static void Pack(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        for (var i = 0; i < codes.Length; i += 2)
        {
            packed[i / 2] = (byte)((codes[i] << 4) | codes[i + 1]);
        }
    }
}
