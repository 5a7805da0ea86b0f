using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>
/// Sums of one group of eight outputs, or of two side by side. A lane is the sum of one output and meets no other, so how many lanes a processor
/// has changes no bit.
/// </summary>
internal unsafe interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    static abstract int Groups { get; }

    /// <summary>The weights of one input.</summary>
    /// <param name="weights">Of the first group.</param>
    /// <param name="groupBytes">From there to the second.</param>
    static abstract TSelf Load<TFormat>(byte* weights, long groupBytes)
        where TFormat : struct, IFloatFormat;

    /// <summary>Reads the activation where it is used, so that loading and spreading it over the lanes are one instruction.</summary>
    static abstract TSelf MultiplyAdd(TSelf weights, float* value, TSelf sums);

    static abstract TSelf Add(TSelf left, TSelf right);

    static abstract void Store(TSelf sums, float* y);
}

/// <summary>One group.</summary>
internal readonly unsafe struct Lanes8(Vector256<float> lanes) : ILanes<Lanes8>
{
    private readonly Vector256<float> _lanes = lanes;

    public static int Groups => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Load<TFormat>(byte* weights, long groupBytes)
        where TFormat : struct, IFloatFormat => new(TFormat.Load(weights));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 MultiplyAdd(Lanes8 weights, float* value, Lanes8 sums) =>
        new(Vector256.FusedMultiplyAdd(weights._lanes, Vector256.Create(*value), sums._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Add(Lanes8 left, Lanes8 right) => new(left._lanes + right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes8 sums, float* y) => sums._lanes.Store(y);
}

/// <summary>Two groups in two vectors: an addition does not wait for the one before, because there is another to do meanwhile.</summary>
internal readonly unsafe struct Lanes8By2(Vector256<float> first, Vector256<float> second) : ILanes<Lanes8By2>
{
    private readonly Vector256<float> _first = first;
    private readonly Vector256<float> _second = second;

    public static int Groups => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8By2 Load<TFormat>(byte* weights, long groupBytes)
        where TFormat : struct, IFloatFormat => new(TFormat.Load(weights), TFormat.Load(weights + groupBytes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8By2 MultiplyAdd(Lanes8By2 weights, float* value, Lanes8By2 sums)
    {
        var values = Vector256.Create(*value);
        return new(
            Vector256.FusedMultiplyAdd(weights._first, values, sums._first), Vector256.FusedMultiplyAdd(weights._second, values, sums._second));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8By2 Add(Lanes8By2 left, Lanes8By2 right) => new(left._first + right._first, left._second + right._second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes8By2 sums, float* y)
    {
        sums._first.Store(y);
        sums._second.Store(y + Vector256<float>.Count);
    }
}

/// <summary>Two groups in one vector, of AVX-512.</summary>
internal readonly unsafe struct Lanes16(Vector512<float> lanes) : ILanes<Lanes16>
{
    private readonly Vector512<float> _lanes = lanes;

    public static int Groups => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Load<TFormat>(byte* weights, long groupBytes)
        where TFormat : struct, IFloatFormat => new(Vector512.Create(TFormat.Load(weights), TFormat.Load(weights + groupBytes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 MultiplyAdd(Lanes16 weights, float* value, Lanes16 sums) =>
        new(Vector512.FusedMultiplyAdd(weights._lanes, Vector512.Create(*value), sums._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Add(Lanes16 left, Lanes16 right) => new(left._lanes + right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes16 sums, float* y) => sums._lanes.Store(y);
}
