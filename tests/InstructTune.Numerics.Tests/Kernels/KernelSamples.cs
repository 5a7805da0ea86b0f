using InstructTune.Kernels;

namespace InstructTune.Numerics.Tests.Kernels;

/// <summary>Matrices and activations that tests multiply.</summary>
internal static unsafe class KernelSamples
{
    public static byte[] Stored(BlockFormat format, int output, int inputs)
    {
        var bytes = format switch { BlockFormat.Q80 => BlockFormats.Q80Bytes, BlockFormat.Q40 => BlockFormats.Q40Bytes, _ => BlockFormats.Q41Bytes };
        var row = new byte[inputs / 32 * bytes];
        var random = new Random(output + 11);
        random.NextBytes(row);
        for (var block = 0; block < row.Length; block += bytes)
        {
            BitConverter.TryWriteBytes(row.AsSpan(block), (Half)(0.01 + random.NextDouble()));
            if (format == BlockFormat.Q41)
            {
                BitConverter.TryWriteBytes(row.AsSpan(block + 2), (Half)(random.NextDouble() - 0.5));
            }
        }

        return row;
    }

    public static int Stride(KernelMatrix matrix) => (matrix.Outputs + 7) / 8 * 8;

    public static float[] Product(KernelMatrix matrix, ActivationRows x, int rows)
    {
        var result = new float[rows * Stride(matrix)];
        fixed (float* y = result)
        {
            matrix.Multiply(x, new Share(0, rows), y, Stride(matrix), new Share(0, matrix.Outputs));
        }

        return result;
    }

    public static KernelMatrix Matrix(WeightFormat format, int outputs, int inputs) => KernelMatrix.Create(format, outputs, inputs, Row);

    public static void Row(int output, Span<float> row)
    {
        var random = new Random(output + 1);
        for (var i = 0; i < row.Length; i++)
        {
            row[i] = (float)(random.NextDouble() - 0.5);
        }
    }

    public static ActivationRows Activations(int rows, int inputs)
    {
        var x = new ActivationRows(rows, inputs);
        var random = new Random(7);
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < inputs; i++)
            {
                x.Row(row)[i] = (float)(random.NextDouble() - 0.5) * (row + 1);
            }
        }

        x.Quantize(0, rows);
        return x;
    }
}
