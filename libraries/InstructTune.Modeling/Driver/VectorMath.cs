using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace InstructTune.Modeling.Driver;

/// <summary>Elementary functions over eight numbers at once.</summary>
internal static class VectorMath
{
    private const float Log2OfE = 1.44269504f;

    // ln 2 in two parts, so that the product with a whole number of up to eight bits is exact in the first.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;
    private const float Largest = 88.3f;
    private const float Smallest = -87.3f;

    /// <summary>
    /// e^x to two units in the last place (Cephes' polynomial). Beyond the range of float32 the nearest normal number stands for the result;
    /// a NaN stays one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        var bounded = Vector256.MinNative(Vector256.MaxNative(x, Vector256.Create(Smallest)), Vector256.Create(Largest));
        var exponent = Vector256.Floor(Vector256.FusedMultiplyAdd(bounded, Vector256.Create(Log2OfE), Vector256.Create(0.5f)));
        var rest = Vector256.FusedMultiplyAdd(exponent, Vector256.Create(-Ln2High), bounded);
        rest = Vector256.FusedMultiplyAdd(exponent, Vector256.Create(-Ln2Low), rest);
        var y = Vector256.Create(1.9875691500e-4f);
        y = Vector256.FusedMultiplyAdd(y, rest, Vector256.Create(1.3981999507e-3f));
        y = Vector256.FusedMultiplyAdd(y, rest, Vector256.Create(8.3334519073e-3f));
        y = Vector256.FusedMultiplyAdd(y, rest, Vector256.Create(4.1665795894e-2f));
        y = Vector256.FusedMultiplyAdd(y, rest, Vector256.Create(1.6666665459e-1f));
        y = Vector256.FusedMultiplyAdd(y, rest, Vector256.Create(5.0000001201e-1f));
        y = Vector256.FusedMultiplyAdd(y, rest * rest, rest) + Vector256<float>.One;
        var power = (Vector256.ConvertToInt32Native(exponent) + Vector256.Create(127)) << 23;
        return Vector256.ConditionalSelect(Vector256.Equals(x, x), y * power.AsSingle(), x);
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + Exp(-x));
}
