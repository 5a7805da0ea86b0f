using System.Buffers.Binary;
using System.Runtime.InteropServices;
using InstructTune.Kernels;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>float32 to the types that are written: float32, float16, and blocks of 32 with 8 or 4 bits each and one scale.</summary>
internal static class GgufQuantizer
{
    private const int BlockElements = 32;

    /// <summary>The same bytes as the reference's.</summary>
    public static void Quantize(GgufTensorType type, ReadOnlySpan<float> source, Span<byte> target)
    {
        switch (type)
        {
            case GgufTensorType.F32:
                MemoryMarshal.AsBytes(source).CopyTo(target);
                break;
            case GgufTensorType.F16:
                Widening.ToFloat16(source, target);
                break;
            case GgufTensorType.Q8_0:
                for (var i = 0; i < source.Length / BlockElements; i++)
                {
                    Block(source.Slice(i * BlockElements, BlockElements), target.Slice(i * 34, 34));
                }

                break;
            case GgufTensorType.Q4_0:
                for (var i = 0; i < source.Length / BlockElements; i++)
                {
                    Block4(source.Slice(i * BlockElements, BlockElements), target.Slice(i * 18, 18));
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "This type is read, not written.");
        }
    }

    private static void Block(ReadOnlySpan<float> source, Span<byte> target)
    {
        QuantizedRow.ToInt8(source, MemoryMarshal.Cast<byte, sbyte>(target[2..]), out var scale);
        BinaryPrimitives.WriteHalfLittleEndian(target, scale);
    }

    private static void Block4(ReadOnlySpan<float> source, Span<byte> target)
    {
        Span<byte> codes = stackalloc byte[BlockElements];
        QuantizedRow.ToInt4(source, codes, out var scale);
        BinaryPrimitives.WriteHalfLittleEndian(target, scale);
        for (var i = 0; i < BlockElements / 2; i++)
        {
            target[2 + i] = (byte)(codes[i] | (codes[i + (BlockElements / 2)] << 4));
        }
    }
}
