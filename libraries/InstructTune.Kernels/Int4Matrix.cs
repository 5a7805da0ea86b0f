using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace InstructTune.Kernels;

/// <summary>
/// Blocks of 32 inputs by eight outputs, 144 bytes: eight half-precision scales, then four chunks of 32 bytes; chunk c holds, output by output,
/// four bytes whose low halves are inputs 4c to 4c + 3 and whose high halves are inputs 16 + 4c to 16 + 4c + 3. A code stands for itself
/// less eight; the eight is taken off the sum of a block, which is exact.
/// </summary>
internal sealed unsafe class Int4Matrix : KernelMatrix
{
    private const int ScaleBytes = GroupOutputs * sizeof(ushort);
    private const int ChunkInputs = 4;
    private const int ChunkBytes = GroupOutputs * ChunkInputs;
    private const int HalfInputs = ActivationRows.BlockColumns / 2;
    private const int Chunks = HalfInputs / ChunkInputs;
    private const int BlockBytes = ScaleBytes + (Chunks * ChunkBytes);
    private const int PrefetchBytes = 8 * BlockBytes;
    private const int Offset = 8;

    private readonly AlignedBuffer<byte> _blocks;

    public Int4Matrix(int outputs, int inputs, RowReader rows)
        : base(outputs, inputs)
    {
        _blocks = new AlignedBuffer<byte>((long)Groups * Blocks * BlockBytes);
        var row = new float[inputs];
        Span<byte> codes = stackalloc byte[ActivationRows.BlockColumns];
        for (var output = 0; output < outputs; output++)
        {
            rows(output, row);
            for (var block = 0; block < Blocks; block++)
            {
                var start = block * ActivationRows.BlockColumns;
                QuantizedRow.ToInt4(row.AsSpan(start, Math.Min(ActivationRows.BlockColumns, inputs - start)), codes, out var scale);
                Store(output, block, codes, scale);
            }
        }
    }

    public override long SizeBytes => _blocks.SizeBytes;

    public override bool ReadsCodes => true;

    public override void ReadRow(int output, Span<float> row)
    {
        for (var i = 0; i < Inputs; i++)
        {
            var block = Block(output / GroupOutputs, i / ActivationRows.BlockColumns);
            var scale = (float)BitConverter.UInt16BitsToHalf(((ushort*)block)[output % GroupOutputs]);
            row[i] = (Code(block, output % GroupOutputs, i % ActivationRows.BlockColumns) - Offset) * scale;
        }
    }

    public override void Dispose() => _blocks.Dispose();

    private protected override void MultiplyRow(ActivationRows x, int row, float* y, int group)
    {
        var codes = x.Codes(row);
        var scales = x.Scales(row);
        var offsets = x.OffsetSums(row);
        var block = Block(group, 0);
        var total = Vector256<float>.Zero;
        for (var b = 0; b < Blocks; b++, block += BlockBytes, codes += ActivationRows.BlockColumns)
        {
            var sum = Avx2.IsSupported ? BlockSum(block + ScaleBytes, codes) : PortableBlockSum(block, codes);
            total = Vector256.FusedMultiplyAdd(
                Vector256.ConvertToSingle(sum - Vector256.Create(offsets[b])), HalfScales.Load((ushort*)block) * Vector256.Create(scales[b]), total);
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
        int* o0 = x.OffsetSums(row), o1 = o0 + x.Blocks, o2 = o1 + x.Blocks, o3 = o2 + x.Blocks;
        var block = Block(group, 0);
        Vector256<float> t0 = default, t1 = default, t2 = default, t3 = default;
        for (var b = 0; b < Blocks; b++, block += BlockBytes)
        {
            Vector256<short> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var chunk = 0; chunk < Chunks; chunk++)
            {
                var packed = Vector256.Load(block + ScaleBytes + (chunk * ChunkBytes));
                var (low, high) = (Low(packed), High(packed));
                var column = (b * ActivationRows.BlockColumns) + (chunk * ChunkInputs);
                s0 += Products(low, high, c0 + column);
                s1 += Products(low, high, c1 + column);
                s2 += Products(low, high, c2 + column);
                s3 += Products(low, high, c3 + column);
            }

            var scale = HalfScales.Load((ushort*)block);
            t0 = Vector256.FusedMultiplyAdd(Scaled(s0, o0[b]), scale * Vector256.Create(d0[b]), t0);
            t1 = Vector256.FusedMultiplyAdd(Scaled(s1, o1[b]), scale * Vector256.Create(d1[b]), t1);
            t2 = Vector256.FusedMultiplyAdd(Scaled(s2, o2[b]), scale * Vector256.Create(d2[b]), t2);
            t3 = Vector256.FusedMultiplyAdd(Scaled(s3, o3[b]), scale * Vector256.Create(d3[b]), t3);
        }

        t0.Store(y);
        t1.Store(y + strideY);
        t2.Store(y + (2 * strideY));
        t3.Store(y + (3 * strideY));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> BlockSum(byte* chunks, sbyte* codes)
    {
        Sse.Prefetch0(chunks + PrefetchBytes);
        Sse.Prefetch0(chunks + PrefetchBytes + 64);
        var sum = Vector256<short>.Zero;
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            var packed = Vector256.Load(chunks + (chunk * ChunkBytes));
            sum += Products(Low(packed), High(packed), codes + (chunk * ChunkInputs));
        }

        return Avx2.MultiplyAddAdjacent(sum, Vector256.Create((short)1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scaled(Vector256<short> sum, int offset) =>
        Vector256.ConvertToSingle(Avx2.MultiplyAddAdjacent(sum, Vector256.Create((short)1)) - Vector256.Create(offset));

    /// <summary>Pairs of products; sixteen of them, of at most 15 x 127 each, fit into 16 bits, so a block needs one widening.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Products(Vector256<byte> low, Vector256<byte> high, sbyte* codes) =>
        Avx2.MultiplyAddAdjacent(low, Vector256.Create(*(int*)codes).AsSByte())
        + Avx2.MultiplyAddAdjacent(high, Vector256.Create(*(int*)(codes + HalfInputs)).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Low(Vector256<byte> packed) => packed & Vector256.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> High(Vector256<byte> packed) => (packed.AsUInt16() >>> 4).AsByte() & Vector256.Create((byte)15);

    private static Vector256<int> PortableBlockSum(byte* block, sbyte* codes)
    {
        var sums = Vector256<int>.Zero;
        for (var output = 0; output < GroupOutputs; output++)
        {
            var sum = 0;
            for (var i = 0; i < ActivationRows.BlockColumns; i++)
            {
                sum += Code(block, output, i) * codes[i];
            }

            sums = sums.WithElement(output, sum);
        }

        return sums;
    }

    private void Store(int output, int block, ReadOnlySpan<byte> codes, Half scale)
    {
        var target = Block(output / GroupOutputs, block);
        ((ushort*)target)[output % GroupOutputs] = BitConverter.HalfToUInt16Bits(scale);
        for (var i = 0; i < HalfInputs; i++)
        {
            target[Place(output % GroupOutputs, i)] = (byte)(codes[i] | (codes[i + HalfInputs] << 4));
        }
    }

    private byte* Block(int group, int block) => _blocks.Pointer + ((((long)group * Blocks) + block) * BlockBytes);

    private static int Place(int output, int input) =>
        ScaleBytes + (input / ChunkInputs * ChunkBytes) + (output * ChunkInputs) + (input % ChunkInputs);

    private static int Code(byte* block, int output, int input)
    {
        var packed = block[Place(output, input % HalfInputs)];
        return input < HalfInputs ? packed & 15 : packed >> 4;
    }
}
