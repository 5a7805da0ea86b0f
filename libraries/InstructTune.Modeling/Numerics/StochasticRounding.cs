using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Numerics;

/// <summary>
/// float32 to the bfloat16 grid: up or down with the probability that makes the mean right, so that many small updates add up where rounding to the nearest
/// would lose each of them. Random bits are a function of seed and position.
/// </summary>
public static class StochasticRounding
{
    private const uint LowBits = 0xffff;

    /// <summary>Rounds a contiguous float32 tensor in place: sixteen random bits are added below the last bit that stays, and what is below is cleared.</summary>
    public static void Apply(Tensor values, StepSeed seed)
    {
        if (values.dtype != ScalarType.Float32 || !values.is_contiguous())
        {
            throw new ArgumentException("must be contiguous and float32", nameof(values));
        }

        Apply(MemoryMarshal.Cast<byte, uint>(values.bytes), seed.Value);
    }

    // Infinity and NaN have all bits of the exponent: adding to them would make other numbers of them.
    internal static void Apply(Span<uint> bits, ulong seed)
    {
        var (low, high) = ((uint)seed, (uint)(seed >> 32));
        var special = Vector256.Create(0x7f800000u);
        var i = 0;
        for (; i <= bits.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            var index = Vector256.Create((uint)i) + Vector256.Create(0u, 1, 2, 3, 4, 5, 6, 7);
            var random = DropoutMask.Mix(DropoutMask.Mix(index ^ Vector256.Create(low)) + Vector256.Create(high)) & Vector256.Create(LowBits);
            var value = Vector256.Create<uint>(bits[i..]);
            var isSpecial = Vector256.Equals(value & special, special);
            Vector256.ConditionalSelect(isSpecial, value, (value + random) & Vector256.Create(~LowBits)).CopyTo(bits[i..]);
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & 0x7f800000u) != 0x7f800000u)
            {
                bits[i] = (bits[i] + (DropoutMask.Mix(DropoutMask.Mix((uint)i ^ low) + high) & LowBits)) & ~LowBits;
            }
        }
    }
}
