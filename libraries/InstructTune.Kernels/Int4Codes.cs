using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace InstructTune.Kernels;

/// <summary>
/// Codes of four bits, 32 inputs by eight outputs, in four chunks of 32 bytes; chunk c holds, output by output, four bytes whose low halves are
/// inputs 4c to 4c + 3 and whose high halves are inputs 16 + 4c to 16 + 4c + 3. Sums of codes times activations are exact.
/// </summary>
internal static unsafe class Int4Codes
{
    /// <summary>Bytes of the codes of one output.</summary>
    public const int Bytes = ActivationRows.BlockColumns / 2;

    private const int ChunkInputs = 4;
    private const int ChunkBytes = KernelMatrix.GroupOutputs * ChunkInputs;
    private const int HalfInputs = ActivationRows.BlockColumns / 2;
    private const int Chunks = HalfInputs / ChunkInputs;

    /// <summary>32 codes to 16 bytes as GGUF packs them: code i low, code i + 16 high.</summary>
    public static void Pack(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        for (var i = 0; i < Bytes; i++)
        {
            packed[i] = (byte)(codes[i] | (codes[i + Bytes] << 4));
        }
    }

    public static void Store(byte* chunks, int output, ReadOnlySpan<byte> packed)
    {
        var words = MemoryMarshal.Cast<byte, int>(packed);
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            *(int*)(chunks + (chunk * ChunkBytes) + (output * ChunkInputs)) = words[chunk];
        }
    }

    public static int Code(byte* chunks, int output, int input)
    {
        var i = input % HalfInputs;
        var packed = chunks[(i / ChunkInputs * ChunkBytes) + (output * ChunkInputs) + (i % ChunkInputs)];
        return input < HalfInputs ? packed & 15 : packed >> 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(byte* block)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(block);
            Sse.Prefetch0(block + 64);
        }
    }

    /// <summary>The sums of a block for one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> BlockSum<TProducts>(byte* chunks, sbyte* codes)
        where TProducts : struct, ICodeProducts
    {
        var sums = Vector256<int>.Zero;
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            Take(chunks + (chunk * ChunkBytes), out var low, out var high);
            sums = Add<TProducts>(sums, low, high, codes + (chunk * ChunkInputs));
        }

        return TProducts.Widen(sums);
    }

    /// <summary>The same for four rows, written out: the loop costs speed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TileSums<TProducts>(
        byte* chunks, sbyte* c0, sbyte* c1, sbyte* c2, sbyte* c3,
        out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3)
        where TProducts : struct, ICodeProducts
    {
        (s0, s1, s2, s3) = (default, default, default, default);
        Vector256<byte> low, high;
        Take(chunks, out low, out high);
        s0 = Add<TProducts>(s0, low, high, c0);
        s1 = Add<TProducts>(s1, low, high, c1);
        s2 = Add<TProducts>(s2, low, high, c2);
        s3 = Add<TProducts>(s3, low, high, c3);
        Take(chunks + (1 * ChunkBytes), out low, out high);
        s0 = Add<TProducts>(s0, low, high, c0 + (1 * ChunkInputs));
        s1 = Add<TProducts>(s1, low, high, c1 + (1 * ChunkInputs));
        s2 = Add<TProducts>(s2, low, high, c2 + (1 * ChunkInputs));
        s3 = Add<TProducts>(s3, low, high, c3 + (1 * ChunkInputs));
        Take(chunks + (2 * ChunkBytes), out low, out high);
        s0 = Add<TProducts>(s0, low, high, c0 + (2 * ChunkInputs));
        s1 = Add<TProducts>(s1, low, high, c1 + (2 * ChunkInputs));
        s2 = Add<TProducts>(s2, low, high, c2 + (2 * ChunkInputs));
        s3 = Add<TProducts>(s3, low, high, c3 + (2 * ChunkInputs));
        Take(chunks + (3 * ChunkBytes), out low, out high);
        s0 = Add<TProducts>(s0, low, high, c0 + (3 * ChunkInputs));
        s1 = Add<TProducts>(s1, low, high, c1 + (3 * ChunkInputs));
        s2 = Add<TProducts>(s2, low, high, c2 + (3 * ChunkInputs));
        s3 = Add<TProducts>(s3, low, high, c3 + (3 * ChunkInputs));
        (s0, s1, s2, s3) = (TProducts.Widen(s0), TProducts.Widen(s1), TProducts.Widen(s2), TProducts.Widen(s3));
    }

    /// <summary>The scalar twin of both.</summary>
    public static Vector256<int> ScalarBlockSum(byte* chunks, sbyte* codes) => ScalarSums.Of(&Code, chunks, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Add<TProducts>(Vector256<int> sums, Vector256<byte> low, Vector256<byte> high, sbyte* codes)
        where TProducts : struct, ICodeProducts =>
        TProducts.AddSmall(
            TProducts.AddSmall(sums, low, Vector256.Create(*(int*)codes).AsSByte()), high, Vector256.Create(*(int*)(codes + HalfInputs)).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(byte* chunk, out Vector256<byte> low, out Vector256<byte> high)
    {
        var packed = Vector256.Load(chunk);
        low = packed & Vector256.Create((byte)15);
        high = (packed.AsUInt16() >>> 4).AsByte() & Vector256.Create((byte)15);
    }
}
