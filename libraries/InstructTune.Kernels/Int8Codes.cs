using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace InstructTune.Kernels;

/// <summary>
/// Codes of eight bits, 32 inputs by eight outputs, in eight chunks of 32 bytes; chunk c holds inputs 4c to 4c + 3 of output 0, of output 1, and
/// so on. Sums of codes times activations are exact.
/// </summary>
internal static unsafe class Int8Codes
{
    /// <summary>Bytes of a block.</summary>
    public const int Bytes = KernelMatrix.GroupOutputs * ActivationRows.BlockColumns;

    private const int ChunkInputs = 4;
    private const int ChunkBytes = KernelMatrix.GroupOutputs * ChunkInputs;
    private const int Chunks = ActivationRows.BlockColumns / ChunkInputs;

    /// <summary>Four codes at a time: that is how they lie in both.</summary>
    public static void Store(byte* chunks, int output, ReadOnlySpan<byte> codes)
    {
        var words = MemoryMarshal.Cast<byte, int>(codes);
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            *(int*)(chunks + (chunk * ChunkBytes) + (output * ChunkInputs)) = words[chunk];
        }
    }

    public static int Code(byte* chunks, int output, int input) =>
        (sbyte)chunks[(input / ChunkInputs * ChunkBytes) + (output * ChunkInputs) + (input % ChunkInputs)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(byte* block)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(block);
            Sse.Prefetch0(block + 64);
            Sse.Prefetch0(block + 128);
            Sse.Prefetch0(block + 192);
        }
    }

    /// <summary>The sums of a block for one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> BlockSum<TProducts>(byte* chunks, sbyte* codes)
        where TProducts : struct, ICodeProducts
    {
        Vector256<int> even = default, odd = default;
        for (var chunk = 0; chunk < Chunks; chunk += 2)
        {
            var weights = Vector256.Load((sbyte*)chunks + (chunk * ChunkBytes));
            even = Add<TProducts>(even, weights, Magnitudes(weights), codes + (chunk * ChunkInputs));
            weights = Vector256.Load((sbyte*)chunks + ((chunk + 1) * ChunkBytes));
            odd = Add<TProducts>(odd, weights, Magnitudes(weights), codes + ((chunk + 1) * ChunkInputs));
        }

        return even + odd;
    }

    /// <summary>The same for four rows. Written out: the loop costs a quarter of the speed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TileSums<TProducts>(
        byte* chunks, sbyte* c0, sbyte* c1, sbyte* c2, sbyte* c3,
        out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3)
        where TProducts : struct, ICodeProducts
    {
        (s0, s1, s2, s3) = (default, default, default, default);
        Vector256<sbyte> w0, w1;
        Vector256<byte> m0, m1;
        Take(chunks, out w0, out m0, out w1, out m1);
        s0 = Pair<TProducts>(s0, w0, m0, w1, m1, c0);
        s1 = Pair<TProducts>(s1, w0, m0, w1, m1, c1);
        s2 = Pair<TProducts>(s2, w0, m0, w1, m1, c2);
        s3 = Pair<TProducts>(s3, w0, m0, w1, m1, c3);
        Take(chunks + (2 * ChunkBytes), out w0, out m0, out w1, out m1);
        s0 = Pair<TProducts>(s0, w0, m0, w1, m1, c0 + (2 * ChunkInputs));
        s1 = Pair<TProducts>(s1, w0, m0, w1, m1, c1 + (2 * ChunkInputs));
        s2 = Pair<TProducts>(s2, w0, m0, w1, m1, c2 + (2 * ChunkInputs));
        s3 = Pair<TProducts>(s3, w0, m0, w1, m1, c3 + (2 * ChunkInputs));
        Take(chunks + (4 * ChunkBytes), out w0, out m0, out w1, out m1);
        s0 = Pair<TProducts>(s0, w0, m0, w1, m1, c0 + (4 * ChunkInputs));
        s1 = Pair<TProducts>(s1, w0, m0, w1, m1, c1 + (4 * ChunkInputs));
        s2 = Pair<TProducts>(s2, w0, m0, w1, m1, c2 + (4 * ChunkInputs));
        s3 = Pair<TProducts>(s3, w0, m0, w1, m1, c3 + (4 * ChunkInputs));
        Take(chunks + (6 * ChunkBytes), out w0, out m0, out w1, out m1);
        s0 = Pair<TProducts>(s0, w0, m0, w1, m1, c0 + (6 * ChunkInputs));
        s1 = Pair<TProducts>(s1, w0, m0, w1, m1, c1 + (6 * ChunkInputs));
        s2 = Pair<TProducts>(s2, w0, m0, w1, m1, c2 + (6 * ChunkInputs));
        s3 = Pair<TProducts>(s3, w0, m0, w1, m1, c3 + (6 * ChunkInputs));
    }

    /// <summary>The scalar twin of both.</summary>
    public static Vector256<int> ScalarBlockSum(byte* chunks, sbyte* codes) => ScalarSums.Of(&Code, chunks, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(byte* chunks, out Vector256<sbyte> w0, out Vector256<byte> m0, out Vector256<sbyte> w1, out Vector256<byte> m1)
    {
        (w0, w1) = (Vector256.Load((sbyte*)chunks), Vector256.Load((sbyte*)chunks + ChunkBytes));
        (m0, m1) = (Magnitudes(w0), Magnitudes(w1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Pair<TProducts>(
        Vector256<int> sums, Vector256<sbyte> w0, Vector256<byte> m0, Vector256<sbyte> w1, Vector256<byte> m1, sbyte* codes)
        where TProducts : struct, ICodeProducts =>
        Add<TProducts>(Add<TProducts>(sums, w0, m0, codes), w1, m1, codes + ChunkInputs);

    /// <summary>The instructions multiply unsigned by signed, so the sign of a weight goes to the activation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Add<TProducts>(Vector256<int> sums, Vector256<sbyte> weights, Vector256<byte> magnitudes, sbyte* codes)
        where TProducts : struct, ICodeProducts =>
        TProducts.Add(sums, magnitudes, Signed(Vector256.Create(*(int*)codes).AsSByte(), weights));

    /// <summary>That of -128 is 128: a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Magnitudes(Vector256<sbyte> weights) =>
        Avx2.IsSupported ? Avx2.Abs(weights) : Vector256.ConditionalSelect(Vector256.LessThan(weights, Vector256<sbyte>.Zero), -weights, weights).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Signed(Vector256<sbyte> codes, Vector256<sbyte> weights) =>
        Avx2.IsSupported ? Avx2.Sign(codes, weights) : Vector256.ConditionalSelect(Vector256.LessThan(weights, Vector256<sbyte>.Zero), -codes, codes);
}
