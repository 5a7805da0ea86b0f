using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>How a weight that has no scale is stored.</summary>
internal unsafe interface IFloatFormat
{
    static abstract int Bytes { get; }

    static abstract void Write(byte* at, float weight);

    static abstract float Read(byte* at);

    /// <summary>Eight of them.</summary>
    static abstract Vector256<float> Load(byte* at);
}

internal readonly unsafe struct Float32Format : IFloatFormat
{
    public static int Bytes => sizeof(float);

    public static void Write(byte* at, float weight) => *(float*)at = weight;

    public static float Read(byte* at) => *(float*)at;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(byte* at) => Vector256.Load((float*)at);
}

/// <summary>The upper half of a float32.</summary>
internal readonly unsafe struct BFloat16Format : IFloatFormat
{
    public static int Bytes => sizeof(ushort);

    /// <summary>To nearest, ties to even; a NaN stays one.</summary>
    public static void Write(byte* at, float weight)
    {
        var bits = BitConverter.SingleToUInt32Bits(weight);
        *(ushort*)at = float.IsNaN(weight) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    public static float Read(byte* at) => BitConverter.UInt32BitsToSingle((uint)*(ushort*)at << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(byte* at) =>
        (Vector256.WidenLower(Vector128.Load((ushort*)at).ToVector256Unsafe()) << 16).AsSingle();
}
