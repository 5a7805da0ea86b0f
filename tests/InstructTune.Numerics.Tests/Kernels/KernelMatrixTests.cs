using InstructTune.Kernels;
using static InstructTune.Numerics.Tests.Kernels.KernelSamples;

namespace InstructTune.Numerics.Tests.Kernels;

/// <summary>Also run without AVX2, by <see cref="PortableKernelTests"/>.</summary>
public sealed unsafe class KernelMatrixTests
{
    public static TheoryData<WeightFormat, int, int> Shapes()
    {
        var shapes = new TheoryData<WeightFormat, int, int>();
        foreach (var format in Enum.GetValues<WeightFormat>())
        {
            foreach (var (outputs, inputs) in new[] { (1, 1), (8, 32), (20, 33), (64, 576), (11, 1000) })
            {
                shapes.Add(format, outputs, inputs);
            }
        }

        return shapes;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_product_equals_the_scalar_one(WeightFormat format, int outputs, int inputs)
    {
        using var matrix = Matrix(format, outputs, inputs);
        using var x = Activations(rows: 1, inputs);
        var weights = new float[inputs];
        var y = Product(matrix, x, rows: 1);
        for (var output = 0; output < outputs; output++)
        {
            matrix.ReadRow(output, weights);
            var (exact, size) = (0.0, 0.0);
            for (var i = 0; i < inputs; i++)
            {
                var value = matrix.ReadsCodes ? x.Codes(0)[i] * (double)x.Scales(0)[i / 32] : x.Row(0)[i];
                exact += weights[i] * value;
                size += Math.Abs(weights[i] * value);
            }

            Assert.Equal(exact, y[output], 1e-6 * (size + 1e-6));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_bits_of_a_row_do_not_depend_on_the_rows_beside_it(WeightFormat format, int outputs, int inputs)
    {
        using var matrix = Matrix(format, outputs, inputs);
        using var x = Activations(rows: 9, inputs);
        var together = Product(matrix, x, rows: 9);
        for (var rows = 1; rows < 9; rows++)
        {
            Assert.Equal(together[..(rows * Stride(matrix))], Product(matrix, x, rows));
        }
    }

    [Theory]
    [InlineData(WeightFormat.Float32, 0)]
    [InlineData(WeightFormat.BFloat16, 0.004)]
    [InlineData(WeightFormat.Int8, 0.0045)] // half a code, and the rounding of the scale to half precision
    [InlineData(WeightFormat.Int4, 0.13)]
    public void A_weight_is_kept_to_the_precision_of_its_format(WeightFormat format, double relativeToBlock)
    {
        using var matrix = Matrix(format, 16, 64);
        var kept = new float[64];
        var given = new float[64];
        for (var output = 0; output < 16; output++)
        {
            matrix.ReadRow(output, kept);
            Row(output, given);
            for (var i = 0; i < 64; i++)
            {
                var greatest = given.AsSpan(i / 32 * 32, 32).ToArray().Max(MathF.Abs);
                Assert.InRange(Math.Abs(kept[i] - given[i]), 0, relativeToBlock * greatest);
            }
        }
    }

    [Fact]
    public void The_codes_of_a_ramp_are_those_of_GGUF()
    {
        var ramp = Enumerable.Range(0, 32).Select(j => (j - 16) / 8f).ToArray();
        var int8 = new sbyte[32];
        QuantizedRow.ToInt8(ramp, int8, out var scale8);
        Assert.Equal(0x2408, BitConverter.HalfToUInt16Bits(scale8));
        Assert.Equal("81899199A1A9B1B9C0C8D0D8E0E8F0F8000810182028303840474F575F676F77", Convert.ToHexString([.. int8.Select(code => (byte)code)]));

        var int4 = new byte[32];
        QuantizedRow.ToInt4(ramp, int4, out var scale4);
        Assert.Equal(0x3400, BitConverter.HalfToUInt16Bits(scale4));
        Assert.Equal("809191A2A2B3B3C4C4D5D5E6E6F7F7F8", Convert.ToHexString([.. Enumerable.Range(0, 16).Select(i => (byte)(int4[i] | (int4[i + 16] << 4)))]));
    }

    [Fact]
    public void Shares_of_the_outputs_together_are_the_whole()
    {
        using var matrix = Matrix(WeightFormat.Int8, 50, 96);
        using var x = Activations(rows: 5, 96);
        var whole = Product(matrix, x, rows: 5);
        var parts = new float[whole.Length];
        fixed (float* y = parts)
        {
            for (var member = 0; member < 3; member++)
            {
                matrix.Multiply(x, new Share(0, 5), y, Stride(matrix), Share.Of(50, member, 3, KernelMatrix.GroupOutputs));
            }
        }

        Assert.Equal(whole, parts);
    }

    public static TheoryData<BlockFormat, int, int> BlockShapes()
    {
        var shapes = new TheoryData<BlockFormat, int, int>();
        foreach (var format in Enum.GetValues<BlockFormat>())
        {
            foreach (var (outputs, inputs) in new[] { (1, 32), (8, 64), (21, 96), (64, 576) })
            {
                shapes.Add(format, outputs, inputs);
            }
        }

        return shapes;
    }

    [Theory]
    [MemberData(nameof(BlockShapes))]
    public void A_product_with_stored_blocks_equals_the_scalar_one_and_does_not_depend_on_other_rows(BlockFormat format, int outputs, int inputs)
    {
        using var matrix = KernelMatrix.Repack(format, outputs, inputs, output => Stored(format, output, inputs));
        using var x = Activations(rows: 9, inputs);
        var together = Product(matrix, x, rows: 9);
        var weights = new float[inputs];
        for (var row = 0; row < 9; row++)
        {
            Assert.Equal(together[..((row + 1) * Stride(matrix))], Product(matrix, x, row + 1));
            for (var output = 0; output < outputs; output++)
            {
                matrix.ReadRow(output, weights);
                var (exact, size) = (0.0, 0.0);
                for (var i = 0; i < inputs; i++)
                {
                    var product = weights[i] * (x.Codes(row)[i] * (double)x.Scales(row)[i / 32]);
                    (exact, size) = (exact + product, size + Math.Abs(product));
                }

                Assert.Equal(exact, together[(row * Stride(matrix)) + output], 1e-6 * (size + 1e-6));
            }
        }
    }

    [Fact]
    public void The_path_that_is_tested_is_the_one_that_was_asked_for() =>
        Assert.Equal(Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") != "0", System.Runtime.Intrinsics.X86.Avx2.IsSupported);
}
