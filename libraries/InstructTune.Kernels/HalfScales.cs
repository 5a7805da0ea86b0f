using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>Half-precision scales, eight at a time: .NET has no vector conversion of them.</summary>
internal static unsafe class HalfScales
{
    // Shifting a half's exponent and mantissa into a float leaves an exponent that is too small by 112.
    private const float Rebias = 5.192296858534828e33f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(ushort* scales)
    {
        var bits = Vector256.WidenLower(Vector128.Load(scales).ToVector256Unsafe()).AsInt32();
        var magnitude = ((bits & Vector256.Create(0x7FFF)) << 13).AsSingle() * Vector256.Create(Rebias);
        return (magnitude.AsInt32() | ((bits & Vector256.Create(0x8000)) << 16)).AsSingle();
    }
}
