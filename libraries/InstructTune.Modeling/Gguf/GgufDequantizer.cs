using System.Buffers.Binary;
using System.Runtime.InteropServices;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>Blocks to float32, with the products and sums in the order of the reference, so that results are the same bits.</summary>
internal static class GgufDequantizer
{
    /// <summary>Whole blocks of one type, one after another.</summary>
    public static void Dequantize(GgufTensorType type, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (type)
        {
            case GgufTensorType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(target));
                return;
            case GgufTensorType.F16:
                Widening.FromFloat16(source, target);
                return;
            case GgufTensorType.BF16:
                Widening.FromBFloat16(source, target);
                return;
        }

        var (elements, bytes) = (GgufTensorTypes.BlockElements(type), GgufTensorTypes.BlockBytes(type));
        for (var i = 0; i < target.Length / elements; i++)
        {
            Block(type, source.Slice(i * bytes, bytes), target.Slice(i * elements, elements));
        }
    }

    internal static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    private static void Block(GgufTensorType type, ReadOnlySpan<byte> block, Span<float> target)
    {
        switch (type)
        {
            case GgufTensorType.Q8_0:
                Bits8(block, target);
                break;
            case GgufTensorType.Q4_0:
                Bits4(Half(block), null, block[2..18], target);
                break;
            case GgufTensorType.Q4_1:
                Bits4(Half(block), Half(block[2..]), block[4..20], target);
                break;
            case GgufTensorType.Q5_0:
                Bits5(Half(block), null, BinaryPrimitives.ReadUInt32LittleEndian(block[2..]), block[6..22], target);
                break;
            case GgufTensorType.Q5_1:
                Bits5(Half(block), Half(block[2..]), BinaryPrimitives.ReadUInt32LittleEndian(block[4..]), block[8..24], target);
                break;
            default:
                SuperBlocks.Dequantize(type, block, target);
                break;
        }
    }

    private static void Bits8(ReadOnlySpan<byte> block, Span<float> target)
    {
        var scale = Half(block);
        var values = MemoryMarshal.Cast<byte, sbyte>(block[2..]);
        for (var i = 0; i < 32; i++)
        {
            target[i] = scale * values[i];
        }
    }

    // The low halves of the bytes come first, then the high ones. Without a minimum the values are centred on 8.
    private static void Bits4(float scale, float? minimum, ReadOnlySpan<byte> nibbles, Span<float> target)
    {
        if (minimum is { } offset)
        {
            for (var i = 0; i < 16; i++)
            {
                target[i] = (scale * (nibbles[i] & 15)) + offset;
                target[i + 16] = (scale * (nibbles[i] >> 4)) + offset;
            }

            return;
        }

        for (var i = 0; i < 16; i++)
        {
            target[i] = scale * ((nibbles[i] & 15) - 8);
            target[i + 16] = scale * ((nibbles[i] >> 4) - 8);
        }
    }

    private static void Bits5(float scale, float? minimum, uint highBits, ReadOnlySpan<byte> nibbles, Span<float> target)
    {
        for (var i = 0; i < 16; i++)
        {
            var low = (nibbles[i] & 15) | (int)((highBits >> i) & 1) << 4;
            var high = (nibbles[i] >> 4) | (int)((highBits >> (i + 16)) & 1) << 4;
            target[i] = minimum is { } offset ? (scale * low) + offset : scale * (low - 16);
            target[i + 16] = minimum is { } again ? (scale * high) + again : scale * (high - 16);
        }
    }
}
