using InstructTune.Kernels;
using static InstructTune.Numerics.Tests.Kernels.KernelSamples;

namespace InstructTune.Numerics.Tests.Kernels;

/// <summary>One group of outputs, two in two vectors, two in one of AVX-512 (which .NET makes of smaller ones here): all have the bits of scalar sums.</summary>
public sealed unsafe class FloatLanesTests
{
    private const int SumColumns = 128;

    public static TheoryData<int, int> Shapes() => new() { { 1, 1 }, { 8, 32 }, { 16, 33 }, { 20, 129 }, { 24, 100 }, { 40, 576 }, { 75, 1000 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Float32_has_the_bits_of_scalar_sums_however_many_lanes_there_are(int outputs, int inputs) => AssertScalarBits<Float32Format>(outputs, inputs);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void BFloat16_has_the_bits_of_scalar_sums_however_many_lanes_there_are(int outputs, int inputs) => AssertScalarBits<BFloat16Format>(outputs, inputs);

    [Fact]
    public void A_share_that_begins_with_an_odd_group_has_the_bits_of_the_whole()
    {
        using var matrix = new FloatMatrix<Float32Format, Lanes16>(56, 70, Row);
        using var x = Activations(rows: 5, 70);
        var whole = Product(matrix, x, rows: 5);
        var parts = new float[whole.Length];
        fixed (float* y = parts)
        {
            matrix.Multiply(x, new Share(0, 5), y, Stride(matrix), new Share(0, 8));
            matrix.Multiply(x, new Share(0, 5), y, Stride(matrix), new Share(8, 40));
            matrix.Multiply(x, new Share(0, 5), y, Stride(matrix), new Share(40, 56));
        }

        Assert.Equal(whole, parts);
    }

    private static void AssertScalarBits<TFormat>(int outputs, int inputs)
        where TFormat : struct, IFloatFormat
    {
        using var one = new FloatMatrix<TFormat, Lanes8>(outputs, inputs, Row);
        using var two = new FloatMatrix<TFormat, Lanes8By2>(outputs, inputs, Row);
        using var wide = new FloatMatrix<TFormat, Lanes16>(outputs, inputs, Row);
        using var x = Activations(rows: 9, inputs);
        for (var rows = 1; rows <= 9; rows++)
        {
            var scalar = Scalar(one, x, rows);
            foreach (var matrix in new KernelMatrix[] { one, two, wide })
            {
                Assert.Equal(scalar, Product(matrix, x, rows));
            }
        }
    }

    /// <summary>The order that all kernels keep: 128 products, then their sum to the total.</summary>
    private static float[] Scalar(KernelMatrix matrix, ActivationRows x, int rows)
    {
        var result = new float[rows * Stride(matrix)];
        var weights = new float[matrix.Inputs];
        for (var output = 0; output < matrix.Outputs; output++)
        {
            matrix.ReadRow(output, weights);
            for (var row = 0; row < rows; row++)
            {
                ref var total = ref result[(row * Stride(matrix)) + output];
                for (var start = 0; start < matrix.Inputs; start += SumColumns)
                {
                    var sum = 0f;
                    for (var i = start; i < Math.Min(start + SumColumns, matrix.Inputs); i++)
                    {
                        sum = MathF.FusedMultiplyAdd(weights[i], x.Row(row)[i], sum);
                    }

                    total += sum;
                }
            }
        }

        return result;
    }
}
