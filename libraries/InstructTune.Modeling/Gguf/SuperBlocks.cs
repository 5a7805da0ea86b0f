using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace InstructTune.Modeling.Gguf;

/// <summary>The K types: super-blocks of 256 weights whose scales are themselves quantised.</summary>
internal static class SuperBlocks
{
    public static void Dequantize(GgufTensorType type, ReadOnlySpan<byte> block, Span<float> target)
    {
        switch (type)
        {
            case GgufTensorType.Q2_K:
                Bits2(block, target);
                break;
            case GgufTensorType.Q3_K:
                Bits3(block, target);
                break;
            case GgufTensorType.Q4_K:
                Bits4(block, target);
                break;
            case GgufTensorType.Q5_K:
                Bits5(block, target);
                break;
            default:
                Bits6(block, target);
                break;
        }
    }

    // 16 scales and minima of 4 bits; 64 bytes of 2-bit values; float16 scale and minimum.
    private static void Bits2(ReadOnlySpan<byte> block, Span<float> target)
    {
        var scale = GgufDequantizer.Half(block[80..]);
        var minimum = GgufDequantizer.Half(block[82..]);
        for (var part = 0; part < 16; part++)
        {
            var factor = scale * (block[part] & 15);
            var offset = minimum * (block[part] >> 4);
            var (half, shift) = (part / 8, part % 8 / 2 * 2);
            var values = block.Slice(16 + (half * 32) + (part % 2 * 16), 16);
            var to = target.Slice(part * 16, 16);
            for (var i = 0; i < 16; i++)
            {
                to[i] = (factor * ((values[i] >> shift) & 3)) - offset;
            }
        }
    }

    // 32 bytes of high bits, stored inverted; 64 bytes of 2-bit values; 16 scales of 6 bits in 12 bytes; float16 scale.
    private static void Bits3(ReadOnlySpan<byte> block, Span<float> target)
    {
        Span<sbyte> scales = stackalloc sbyte[16];
        SixBitScales(block[96..108], scales);
        var scale = GgufDequantizer.Half(block[108..]);
        for (var part = 0; part < 16; part++)
        {
            var factor = scale * (scales[part] - 32);
            var (half, shift) = (part / 8, part % 8 / 2 * 2);
            var from = part % 2 * 16;
            var values = block.Slice(32 + (half * 32) + from, 16);
            var highs = block.Slice(from, 16);
            var bit = part / 2;
            var to = target.Slice(part * 16, 16);
            for (var i = 0; i < 16; i++)
            {
                to[i] = factor * (((values[i] >> shift) & 3) - (((highs[i] >> bit) & 1) == 0 ? 4 : 0));
            }
        }
    }

    private static void SixBitScales(ReadOnlySpan<byte> packed, Span<sbyte> scales)
    {
        for (var i = 0; i < 16; i++)
        {
            var low = i < 8 ? packed[i] & 15 : packed[i - 8] >> 4;
            scales[i] = (sbyte)(low | (((packed[8 + (i % 4)] >> (i / 4 * 2)) & 3) << 4));
        }
    }

    // float16 scale and minimum; 8 scales and 8 minima of 6 bits in 12 bytes; 128 bytes of nibbles.
    private static void Bits4(ReadOnlySpan<byte> block, Span<float> target)
    {
        for (var part = 0; part < 8; part++)
        {
            var (factor, offset) = ScaleAndMinimum(block, part);
            var values = block.Slice(16 + (part / 2 * 32), 32);
            var shift = part % 2 * 4;
            var to = target.Slice(part * 32, 32);
            for (var i = 0; i < 32; i++)
            {
                to[i] = (factor * ((values[i] >> shift) & 15)) - offset;
            }
        }
    }

    // As Bits4 with 32 bytes of fifth bits before the nibbles.
    private static void Bits5(ReadOnlySpan<byte> block, Span<float> target)
    {
        var highs = block.Slice(16, 32);
        for (var part = 0; part < 8; part++)
        {
            var (factor, offset) = ScaleAndMinimum(block, part);
            var values = block.Slice(48 + (part / 2 * 32), 32);
            var shift = part % 2 * 4;
            var to = target.Slice(part * 32, 32);
            for (var i = 0; i < 32; i++)
            {
                to[i] = (factor * (((values[i] >> shift) & 15) | (((highs[i] >> part) & 1) << 4))) - offset;
            }
        }
    }

    private static (float Factor, float Offset) ScaleAndMinimum(ReadOnlySpan<byte> block, int part)
    {
        var packed = block.Slice(4, 12);
        var (scale, minimum) = part < 4
            ? (packed[part] & 63, packed[part + 4] & 63)
            : ((packed[part + 4] & 15) | (packed[part - 4] >> 6 << 4), (packed[part + 4] >> 4) | (packed[part] >> 6 << 4));
        return (GgufDequantizer.Half(block) * scale, GgufDequantizer.Half(block[2..]) * minimum);
    }

    // 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, float16 scale.
    private static void Bits6(ReadOnlySpan<byte> block, Span<float> target)
    {
        var scales = MemoryMarshal.Cast<byte, sbyte>(block.Slice(192, 16));
        var scale = (float)BinaryPrimitives.ReadHalfLittleEndian(block[208..]);
        for (var part = 0; part < 16; part++)
        {
            var factor = scale * scales[part];
            var (half, quarter, from) = (part / 8, part % 8 / 2, part % 2 * 16);
            var lows = block.Slice((half * 64) + (quarter % 2 * 32) + from, 16);
            var highs = block.Slice(128 + (half * 32) + from, 16);
            var lowShift = quarter / 2 * 4;
            var to = target.Slice(part * 16, 16);
            for (var i = 0; i < 16; i++)
            {
                to[i] = factor * ((((lows[i] >> lowShift) & 15) | (((highs[i] >> (quarter * 2)) & 3) << 4)) - 32);
            }
        }
    }
}
