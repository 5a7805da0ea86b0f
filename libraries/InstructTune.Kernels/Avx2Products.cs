using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace InstructTune.Kernels;

/// <summary>
/// Two instructions: pairs of products in 16 bits, then pairs of pairs in 32. Two products of at most 128 x 127 fit into 16 bits, and so do
/// sixteen of at most 15 x 127, so that small ones are widened once.
/// </summary>
internal readonly struct Avx2Products : ICodeProducts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right) =>
        sums + Widen(Avx2.MultiplyAddAdjacent(left, right).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddSmall(Vector256<int> sums, Vector256<byte> left, Vector256<sbyte> right) =>
        (sums.AsInt16() + Avx2.MultiplyAddAdjacent(left, right)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Widen(Vector256<int> sums) => Avx2.MultiplyAddAdjacent(sums.AsInt16(), Vector256.Create((short)1));
}
