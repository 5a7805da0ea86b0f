using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace InstructTune.Kernels;

/// <summary>
/// Blocks of 32 inputs by eight outputs, 272 bytes: eight half-precision scales, then eight chunks of 32 bytes; chunk c holds inputs 4c to
/// 4c + 3 of output 0, of output 1, and so on. Sums within a block are exact.
/// </summary>
internal sealed unsafe class Int8Matrix : KernelMatrix
{
    private const int ScaleBytes = GroupOutputs * sizeof(ushort);
    private const int ChunkInputs = 4;
    private const int ChunkBytes = GroupOutputs * ChunkInputs;
    private const int Chunks = ActivationRows.BlockColumns / ChunkInputs;
    private const int BlockBytes = ScaleBytes + (Chunks * ChunkBytes);
    private const int PrefetchBytes = 6 * BlockBytes;

    private readonly AlignedBuffer<byte> _blocks;

    private Int8Matrix(int outputs, int inputs)
        : base(outputs, inputs) => _blocks = new AlignedBuffer<byte>((long)Groups * Blocks * BlockBytes);

    public static Int8Matrix Quantized(int outputs, int inputs, RowReader rows)
    {
        var matrix = new Int8Matrix(outputs, inputs);
        matrix.FillGroups((group, row) =>
        {
            Span<sbyte> codes = stackalloc sbyte[ActivationRows.BlockColumns];
            foreach (var output in matrix.OutputsOf(group))
            {
                rows(output, row);
                for (var block = 0; block < matrix.Blocks; block++)
                {
                    var start = block * ActivationRows.BlockColumns;
                    QuantizedRow.ToInt8(row.AsSpan(start, Math.Min(ActivationRows.BlockColumns, inputs - start)), codes, out var scale);
                    matrix.Store(output, block, MemoryMarshal.AsBytes(codes), BitConverter.HalfToUInt16Bits(scale));
                }
            }
        });
        return matrix;
    }

    /// <summary>Blocks of Q8_0 as a GGUF file has them: a scale and 32 codes.</summary>
    public static Int8Matrix Stored(int outputs, int inputs, StoredRowReader rows)
    {
        var matrix = new Int8Matrix(outputs, inputs);
        matrix.FillGroups((group, _) =>
        {
            foreach (var output in matrix.OutputsOf(group))
            {
                var row = rows(output);
                for (var block = 0; block < matrix.Blocks; block++)
                {
                    var stored = row.Slice(block * BlockFormats.Q80Bytes, BlockFormats.Q80Bytes);
                    matrix.Store(output, block, stored[sizeof(ushort)..], BinaryPrimitives.ReadUInt16LittleEndian(stored));
                }
            }
        });
        return matrix;
    }

    public override long SizeBytes => _blocks.SizeBytes;

    public override bool ReadsCodes => true;

    public override void ReadRow(int output, Span<float> row)
    {
        for (var i = 0; i < Inputs; i++)
        {
            var block = Block(output / GroupOutputs, i / ActivationRows.BlockColumns);
            row[i] = Code(block, output % GroupOutputs, i % ActivationRows.BlockColumns) * Scale(block, output % GroupOutputs);
        }
    }

    public override void Dispose() => _blocks.Dispose();

    private protected override void MultiplyRow(ActivationRows x, int row, float* y, int group)
    {
        sbyte* codes = x.Codes(row);
        var scales = x.Scales(row);
        var block = Block(group, 0);
        var total = Vector256<float>.Zero;
        for (var b = 0; b < Blocks; b++, block += BlockBytes, codes += ActivationRows.BlockColumns)
        {
            var sum = Avx2.IsSupported ? BlockSum(block + ScaleBytes, codes) : PortableBlockSum(block + ScaleBytes, codes);
            total = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(sum), HalfScales.Load((ushort*)block) * Vector256.Create(scales[b]), total);
        }

        total.Store(y);
    }

    private protected override void MultiplyTile(ActivationRows x, int row, float* y, long strideY, int group)
    {
        if (!Avx2.IsSupported)
        {
            for (var i = 0; i < TileRows; i++)
            {
                MultiplyRow(x, row + i, y + (i * strideY), group);
            }

            return;
        }

        sbyte* c0 = x.Codes(row), c1 = c0 + x.Stride, c2 = c1 + x.Stride, c3 = c2 + x.Stride;
        float* d0 = x.Scales(row), d1 = d0 + x.Blocks, d2 = d1 + x.Blocks, d3 = d2 + x.Blocks;
        var block = Block(group, 0);
        Vector256<float> t0 = default, t1 = default, t2 = default, t3 = default;
        for (var b = 0; b < Blocks; b++, block += BlockBytes)
        {
            Prefetch(block);
            var at = b * ActivationRows.BlockColumns;
            TileSums(block + ScaleBytes, c0 + at, c1 + at, c2 + at, c3 + at, out var s0, out var s1, out var s2, out var s3);
            var scale = HalfScales.Load((ushort*)block);
            t0 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(s0), scale * Vector256.Create(d0[b]), t0);
            t1 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(s1), scale * Vector256.Create(d1[b]), t1);
            t2 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(s2), scale * Vector256.Create(d2[b]), t2);
            t3 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(s3), scale * Vector256.Create(d3[b]), t3);
        }

        t0.Store(y);
        t1.Store(y + strideY);
        t2.Store(y + (2 * strideY));
        t3.Store(y + (3 * strideY));
    }

    /// <summary>The sums of a block for four rows. Written out: the loop costs a quarter of the speed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TileSums(
        byte* chunks, sbyte* c0, sbyte* c1, sbyte* c2, sbyte* c3,
        out Vector256<int> s0, out Vector256<int> s1, out Vector256<int> s2, out Vector256<int> s3)
    {
        (s0, s1, s2, s3) = (default, default, default, default);
        Vector256<sbyte> w0, w1;
        Vector256<byte> m0, m1;
        Take(chunks, out w0, out m0, out w1, out m1);
        s0 += Pair(w0, m0, w1, m1, c0);
        s1 += Pair(w0, m0, w1, m1, c1);
        s2 += Pair(w0, m0, w1, m1, c2);
        s3 += Pair(w0, m0, w1, m1, c3);
        Take(chunks + (2 * ChunkBytes), out w0, out m0, out w1, out m1);
        s0 += Pair(w0, m0, w1, m1, c0 + (2 * ChunkInputs));
        s1 += Pair(w0, m0, w1, m1, c1 + (2 * ChunkInputs));
        s2 += Pair(w0, m0, w1, m1, c2 + (2 * ChunkInputs));
        s3 += Pair(w0, m0, w1, m1, c3 + (2 * ChunkInputs));
        Take(chunks + (4 * ChunkBytes), out w0, out m0, out w1, out m1);
        s0 += Pair(w0, m0, w1, m1, c0 + (4 * ChunkInputs));
        s1 += Pair(w0, m0, w1, m1, c1 + (4 * ChunkInputs));
        s2 += Pair(w0, m0, w1, m1, c2 + (4 * ChunkInputs));
        s3 += Pair(w0, m0, w1, m1, c3 + (4 * ChunkInputs));
        Take(chunks + (6 * ChunkBytes), out w0, out m0, out w1, out m1);
        s0 += Pair(w0, m0, w1, m1, c0 + (6 * ChunkInputs));
        s1 += Pair(w0, m0, w1, m1, c1 + (6 * ChunkInputs));
        s2 += Pair(w0, m0, w1, m1, c2 + (6 * ChunkInputs));
        s3 += Pair(w0, m0, w1, m1, c3 + (6 * ChunkInputs));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(byte* chunks, out Vector256<sbyte> w0, out Vector256<byte> m0, out Vector256<sbyte> w1, out Vector256<byte> m1)
    {
        (w0, w1) = (Vector256.Load((sbyte*)chunks), Vector256.Load((sbyte*)chunks + ChunkBytes));
        (m0, m1) = (Avx2.Abs(w0), Avx2.Abs(w1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Pair(Vector256<sbyte> w0, Vector256<byte> m0, Vector256<sbyte> w1, Vector256<byte> m1, sbyte* codes) =>
        Products(w0, m0, codes) + Products(w1, m1, codes + ChunkInputs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* block)
    {
        Sse.Prefetch0(block + PrefetchBytes);
        Sse.Prefetch0(block + PrefetchBytes + 64);
        Sse.Prefetch0(block + PrefetchBytes + 128);
        Sse.Prefetch0(block + PrefetchBytes + 192);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> BlockSum(byte* chunks, sbyte* codes)
    {
        Prefetch(chunks);
        Vector256<int> even = default, odd = default;
        for (var chunk = 0; chunk < Chunks; chunk += 2)
        {
            var weights = Vector256.Load((sbyte*)chunks + (chunk * ChunkBytes));
            even += Products(weights, Avx2.Abs(weights), codes + (chunk * ChunkInputs));
            weights = Vector256.Load((sbyte*)chunks + ((chunk + 1) * ChunkBytes));
            odd += Products(weights, Avx2.Abs(weights), codes + ((chunk + 1) * ChunkInputs));
        }

        return even + odd;
    }

    /// <summary>
    /// Four products summed, for each of eight outputs. The instruction multiplies unsigned by signed, so the sign of a weight goes to the
    /// activation; two products of at most 128 x 127 fit into 16 bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(Vector256<sbyte> weights, Vector256<byte> magnitudes, sbyte* codes) => Avx2.MultiplyAddAdjacent(
        Avx2.MultiplyAddAdjacent(magnitudes, Avx2.Sign(Vector256.Create(*(int*)codes).AsSByte(), weights)), Vector256.Create((short)1));

    private static Vector256<int> PortableBlockSum(byte* chunks, sbyte* codes)
    {
        var sums = Vector256<int>.Zero;
        for (var output = 0; output < GroupOutputs; output++)
        {
            var sum = 0;
            for (var i = 0; i < ActivationRows.BlockColumns; i++)
            {
                sum += Code(chunks - ScaleBytes, output, i) * codes[i];
            }

            sums = sums.WithElement(output, sum);
        }

        return sums;
    }

    /// <summary>Four codes at a time: that is how they lie in both.</summary>
    private void Store(int output, int block, ReadOnlySpan<byte> codes, ushort scale)
    {
        var target = Block(output / GroupOutputs, block);
        ((ushort*)target)[output % GroupOutputs] = scale;
        var words = MemoryMarshal.Cast<byte, int>(codes);
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            *(int*)(target + Place(output % GroupOutputs, chunk * ChunkInputs)) = words[chunk];
        }
    }

    private byte* Block(int group, int block) => _blocks.Pointer + ((((long)group * Blocks) + block) * BlockBytes);

    private static int Place(int output, int input) =>
        ScaleBytes + (input / ChunkInputs * ChunkBytes) + (output * ChunkInputs) + (input % ChunkInputs);

    private static sbyte Code(byte* block, int output, int input) => (sbyte)block[Place(output, input)];

    private static float Scale(byte* block, int output) => (float)BitConverter.UInt16BitsToHalf(((ushort*)block)[output]);
}
