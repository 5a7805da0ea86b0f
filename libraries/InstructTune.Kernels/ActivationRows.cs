using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>
/// Rows of activations that several matrices multiply: as float32, and in blocks of 32 as int8 with a scale. A row is quantised once,
/// however many matrices read it. Rows are padded with zeros to whole blocks.
/// </summary>
public sealed unsafe class ActivationRows : IDisposable
{
    /// <summary>Columns that share a scale.</summary>
    public const int BlockColumns = 32;

    private const int OffsetOfCodes = 8;

    private readonly AlignedBuffer<float> _values;
    private readonly AlignedBuffer<sbyte> _codes;
    private readonly AlignedBuffer<float> _scales;
    private readonly AlignedBuffer<int> _sums;
    private readonly AlignedBuffer<float> _weightedSums;

    /// <summary>Allocates the rows.</summary>
    /// <param name="rows">The most rows of a step.</param>
    /// <param name="columns">Values of a row.</param>
    public ActivationRows(int rows, int columns)
    {
        Columns = columns;
        Blocks = (columns + BlockColumns - 1) / BlockColumns;
        Stride = Blocks * BlockColumns;
        _values = new AlignedBuffer<float>((long)rows * Stride);
        _codes = new AlignedBuffer<sbyte>((long)rows * Stride);
        _scales = new AlignedBuffer<float>((long)rows * Blocks);
        _sums = new AlignedBuffer<int>((long)rows * Blocks);
        _weightedSums = new AlignedBuffer<float>((long)rows * Blocks);
    }

    /// <summary>Bytes that so many rows take.</summary>
    public static long SizeBytes(int rows, int columns)
    {
        var blocks = (columns + BlockColumns - 1) / BlockColumns;
        return (long)rows * blocks * ((BlockColumns * (sizeof(float) + sizeof(sbyte))) + (2 * sizeof(float)) + sizeof(int));
    }

    /// <summary>Values of a row.</summary>
    public int Columns { get; }

    /// <summary>Floats from one row to the next.</summary>
    public int Stride { get; }

    /// <summary>Blocks of a row.</summary>
    public int Blocks { get; }

    /// <summary>The float32 values of a row.</summary>
    public float* Row(int row) => _values.Pointer + ((long)row * Stride);

    internal sbyte* Codes(int row) => _codes.Pointer + ((long)row * Stride);

    internal float* Scales(int row) => _scales.Pointer + ((long)row * Blocks);

    /// <summary>Eight times the sum of the codes of each block: what the offset of 4-bit weights adds.</summary>
    internal int* OffsetSums(int row) => _sums.Pointer + ((long)row * Blocks);

    /// <summary>The sum of each block as its codes and scale say: what the minimum of 4-bit weights meets.</summary>
    internal float* WeightedSums(int row) => _weightedSums.Pointer + ((long)row * Blocks);

    /// <summary>Makes the int8 form of rows whose float32 values are set: scale max|x| / 127, codes to nearest, ties to even.</summary>
    public void Quantize(int firstRow, int endRow)
    {
        for (var row = firstRow; row < endRow; row++)
        {
            float* values = Row(row), scales = Scales(row), weighted = WeightedSums(row);
            var codes = Codes(row);
            var sums = OffsetSums(row);
            for (var block = 0; block < Blocks; block++)
            {
                QuantizeBlock(values + (block * BlockColumns), codes + (block * BlockColumns), out scales[block], out sums[block]);
                weighted[block] = scales[block] * (sums[block] / OffsetOfCodes);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _values.Dispose();
        _codes.Dispose();
        _scales.Dispose();
        _sums.Dispose();
        _weightedSums.Dispose();
    }

    private static void QuantizeBlock(float* values, sbyte* codes, out float scale, out int offsetSum)
    {
        var (v0, v1, v2, v3) = (Vector256.Load(values), Vector256.Load(values + 8), Vector256.Load(values + 16), Vector256.Load(values + 24));
        var greatest = Vector256.Max(Vector256.Max(Vector256.Abs(v0), Vector256.Abs(v1)), Vector256.Max(Vector256.Abs(v2), Vector256.Abs(v3)));
        var most = 0f;
        for (var i = 0; i < Vector256<float>.Count; i++)
        {
            most = MathF.Max(most, greatest[i]);
        }

        scale = most / 127f;
        var inverse = Vector256.Create(most > 0 ? 127f / most : 0);
        var (i0, i1, i2, i3) = (ToInt(v0 * inverse), ToInt(v1 * inverse), ToInt(v2 * inverse), ToInt(v3 * inverse));
        offsetSum = OffsetOfCodes * Vector256.Sum(i0 + i1 + i2 + i3);
        Vector256.Narrow(Vector256.Narrow(i0, i1), Vector256.Narrow(i2, i3)).Store(codes);
    }

    private static Vector256<int> ToInt(Vector256<float> value) => Vector256.ConvertToInt32(Vector256.Round(value));
}
