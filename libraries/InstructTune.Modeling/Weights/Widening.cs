using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>Half-width floating-point numbers to float32 and back, and the check that numbers are finite.</summary>
internal static class Widening
{
    /// <summary>Numbers of a floating-point type; exact but for float64, which is rounded.</summary>
    public static void ToFloat32(ScalarType type, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (type)
        {
            case ScalarType.Float32:
                source.CopyTo(MemoryMarshal.AsBytes(target));
                break;
            case ScalarType.BFloat16:
                FromBFloat16(source, target);
                break;
            case ScalarType.Float16:
                FromFloat16(source, target);
                break;
            case ScalarType.Float64:
                for (var i = 0; i < target.Length; i++)
                {
                    target[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(source[(i * sizeof(double))..]);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "Not a floating-point type.");
        }
    }

    /// <summary>Exact.</summary>
    public static void FromBFloat16(ReadOnlySpan<byte> source, Span<float> target)
    {
        var from = MemoryMarshal.Cast<byte, ushort>(source);
        var to = MemoryMarshal.Cast<float, uint>(target);
        var i = 0;
        for (; i <= from.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Create(from[i..]));
            (low << 16).CopyTo(to[i..]);
            (high << 16).CopyTo(to[(i + Vector256<uint>.Count)..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] = (uint)from[i] << 16;
        }
    }

    /// <summary>Exact.</summary>
    public static void FromFloat16(ReadOnlySpan<byte> source, Span<float> target)
    {
        var from = MemoryMarshal.Cast<byte, ushort>(source);
        var i = 0;
        for (; i <= from.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Create(from[i..]));
            FromFloat16(low).CopyTo(target[i..]);
            FromFloat16(high).CopyTo(target[(i + Vector256<uint>.Count)..]);
        }

        for (; i < from.Length; i++)
        {
            target[i] = (float)BitConverter.UInt16BitsToHalf(from[i]);
        }
    }

    /// <summary>To the nearest, ties to even.</summary>
    public static void ToFloat16(ReadOnlySpan<float> source, Span<byte> target)
    {
        var to = MemoryMarshal.Cast<byte, Half>(target);
        for (var i = 0; i < source.Length; i++)
        {
            to[i] = (Half)source[i];
        }
    }

    public static bool AreFinite(ReadOnlySpan<float> values)
    {
        const uint exponent = 0x7F800000;
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var limit = new Vector<uint>(exponent);
        var i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            if (Vector.EqualsAny(new Vector<uint>(bits[i..]) & limit, limit))
            {
                return false;
            }
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & exponent) == exponent)
            {
                return false;
            }
        }

        return true;
    }

    // The exponent moves by a product, which also makes subnormal numbers normal; infinity and NaN get the largest exponent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> FromFloat16(Vector256<uint> half)
    {
        const float shift = 5.192296858534828e33f; // 2^112
        var magnitude = (half & Vector256.Create(0x7FFFu)) << 13;
        var scaled = (magnitude.AsSingle() * Vector256.Create(shift)).AsUInt32();
        var special = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0x0F800000u)) & Vector256.Create(0x7F800000u);
        return (scaled | special | ((half & Vector256.Create(0x8000u)) << 16)).AsSingle();
    }
}
