using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>
/// Blocks of 32 inputs by eight outputs, 144 bytes: eight half-precision scales, then <see cref="Int4Codes"/>. A code stands for itself less
/// eight; the eight is taken off the sum of a block, which is exact.
/// </summary>
internal sealed unsafe class Int4Matrix<TProducts> : KernelMatrix
    where TProducts : struct, ICodeProducts
{
    private const int ScaleBytes = GroupOutputs * sizeof(ushort);
    private const int BlockBytes = ScaleBytes + (GroupOutputs * Int4Codes.Bytes);
    private const int PrefetchBytes = 8 * BlockBytes;
    private const int Offset = 8;

    private readonly AlignedBuffer<byte> _blocks;

    private Int4Matrix(int outputs, int inputs)
        : base(outputs, inputs) => _blocks = new AlignedBuffer<byte>((long)Groups * Blocks * BlockBytes);

    public static Int4Matrix<TProducts> Quantized(int outputs, int inputs, RowReader rows)
    {
        var matrix = new Int4Matrix<TProducts>(outputs, inputs);
        matrix.FillGroups((group, row) =>
        {
            Span<byte> codes = stackalloc byte[ActivationRows.BlockColumns];
            Span<byte> packed = stackalloc byte[Int4Codes.Bytes];
            foreach (var output in matrix.OutputsOf(group))
            {
                rows(output, row);
                for (var block = 0; block < matrix.Blocks; block++)
                {
                    var start = block * ActivationRows.BlockColumns;
                    QuantizedRow.ToInt4(row.AsSpan(start, Math.Min(ActivationRows.BlockColumns, inputs - start)), codes, out var scale);
                    Int4Codes.Pack(codes, packed);
                    matrix.Store(output, block, packed, BitConverter.HalfToUInt16Bits(scale));
                }
            }
        });
        return matrix;
    }

    /// <summary>Blocks of Q4_0 as a GGUF file has them: a scale and 32 codes of four bits.</summary>
    public static Int4Matrix<TProducts> Stored(int outputs, int inputs, StoredRowReader rows)
    {
        var matrix = new Int4Matrix<TProducts>(outputs, inputs);
        matrix.FillGroups((group, _) =>
        {
            foreach (var output in matrix.OutputsOf(group))
            {
                var row = rows(output);
                for (var block = 0; block < matrix.Blocks; block++)
                {
                    var stored = row.Slice(block * BlockFormats.Q40Bytes, BlockFormats.Q40Bytes);
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
            var scale = (float)BitConverter.UInt16BitsToHalf(((ushort*)block)[output % GroupOutputs]);
            row[i] = (Int4Codes.Code(block + ScaleBytes, output % GroupOutputs, i % ActivationRows.BlockColumns) - Offset) * scale;
        }
    }

    public override void Dispose() => _blocks.Dispose();

    private protected override void MultiplyRow(ActivationRows x, int row, float* y, int group, int groups)
    {
        var codes = x.Codes(row);
        var scales = x.Scales(row);
        var offsets = x.OffsetSums(row);
        var block = Block(group, 0);
        var total = Vector256<float>.Zero;
        for (var b = 0; b < Blocks; b++, block += BlockBytes, codes += ActivationRows.BlockColumns)
        {
            Int4Codes.Prefetch(block + PrefetchBytes);
            var sum = Int4Codes.BlockSum<TProducts>(block + ScaleBytes, codes);
            total = Vector256.FusedMultiplyAdd(
                Vector256.ConvertToSingle(sum - Vector256.Create(offsets[b])), HalfScales.Load((ushort*)block) * Vector256.Create(scales[b]), total);
        }

        total.Store(y);
    }

    private protected override void MultiplyTile(ActivationRows x, int row, float* y, long strideY, int group, int groups)
    {
        sbyte* c0 = x.Codes(row), c1 = c0 + x.Stride, c2 = c1 + x.Stride, c3 = c2 + x.Stride;
        float* d0 = x.Scales(row), d1 = d0 + x.Blocks, d2 = d1 + x.Blocks, d3 = d2 + x.Blocks;
        int* o0 = x.OffsetSums(row), o1 = o0 + x.Blocks, o2 = o1 + x.Blocks, o3 = o2 + x.Blocks;
        var block = Block(group, 0);
        Vector256<float> t0 = default, t1 = default, t2 = default, t3 = default;
        for (var b = 0; b < Blocks; b++, block += BlockBytes)
        {
            Int4Codes.Prefetch(block + PrefetchBytes);
            var at = b * ActivationRows.BlockColumns;
            Int4Codes.TileSums<TProducts>(block + ScaleBytes, c0 + at, c1 + at, c2 + at, c3 + at, out var s0, out var s1, out var s2, out var s3);
            var scale = HalfScales.Load((ushort*)block);
            t0 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(s0 - Vector256.Create(o0[b])), scale * Vector256.Create(d0[b]), t0);
            t1 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(s1 - Vector256.Create(o1[b])), scale * Vector256.Create(d1[b]), t1);
            t2 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(s2 - Vector256.Create(o2[b])), scale * Vector256.Create(d2[b]), t2);
            t3 = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(s3 - Vector256.Create(o3[b])), scale * Vector256.Create(d3[b]), t3);
        }

        t0.Store(y);
        t1.Store(y + strideY);
        t2.Store(y + (2 * strideY));
        t3.Store(y + (3 * strideY));
    }

    private void Store(int output, int block, ReadOnlySpan<byte> packed, ushort scale)
    {
        var target = Block(output / GroupOutputs, block);
        ((ushort*)target)[output % GroupOutputs] = scale;
        Int4Codes.Store(target + ScaleBytes, output % GroupOutputs, packed);
    }

    private byte* Block(int group, int block) => _blocks.Pointer + ((((long)group * Blocks) + block) * BlockBytes);
}
