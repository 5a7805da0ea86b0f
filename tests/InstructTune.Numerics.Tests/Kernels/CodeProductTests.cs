using System.Runtime.Intrinsics.X86;
using InstructTune.Kernels;
using static InstructTune.Numerics.Tests.Kernels.KernelSamples;

namespace InstructTune.Numerics.Tests.Kernels;

/// <summary>
/// Codes over every kind of instruction. <see cref="PortableProducts"/> is the definition of the one that VNNI has: what runs over it here is what
/// runs over the instruction there.
/// </summary>
public sealed unsafe class CodeProductTests
{
    public static TheoryData<int, int> Shapes() => new() { { 1, 32 }, { 8, 64 }, { 21, 96 }, { 64, 576 } };

    [Fact]
    public void Sums_in_plain_code_equal_the_scalar_ones() => AssertEqualsScalar<PortableProducts>();

    [Fact]
    public void Sums_by_AVX2_equal_the_scalar_ones()
    {
        Assert.SkipUnless(Avx2.IsSupported, "this process has no AVX2");
        AssertEqualsScalar<Avx2Products>();
    }

    [Fact]
    public void Sums_by_VNNI_equal_the_scalar_ones()
    {
        Assert.SkipUnless(AvxVnni.IsSupported, "this processor has no AVX-VNNI");
        AssertEqualsScalar<VnniProducts>();
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Quantised_matrices_have_the_same_bits_over_the_model_of_VNNI(int outputs, int inputs)
    {
        foreach (var format in new[] { WeightFormat.Int8, WeightFormat.Int4 })
        {
            // Sizes that are no multiples, too.
            AssertSameBits(inputs + 1, matrices => matrices.Quantize(format, outputs, inputs + 1, Row));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Stored_blocks_have_the_same_bits_over_the_model_of_VNNI(int outputs, int inputs)
    {
        foreach (var format in Enum.GetValues<BlockFormat>())
        {
            AssertSameBits(inputs, matrices => matrices.Repack(format, outputs, inputs, output => Stored(format, output, inputs)));
        }
    }

    [Fact]
    public void The_instruction_is_chosen_where_it_exists_and_does_what_its_manual_says()
    {
        var without = Avx2.IsSupported ? typeof(CodeMatrices<Avx2Products>) : typeof(CodeMatrices<PortableProducts>);

        Assert.IsType<CodeMatrices<PortableProducts>>(CodeMatrices.Choose<PortableProducts>(isSupported: true));
        Assert.IsType(without, CodeMatrices.Choose<VnniProducts>(isSupported: false));
        Assert.IsType(without, CodeMatrices.Choose<FlawedProducts<TakesLeftAsSigned>>(isSupported: true));
        Assert.IsType(AvxVnni.IsSupported ? typeof(CodeMatrices<VnniProducts>) : without, CodeMatrices.Best);
    }

    [Fact]
    public void The_check_passes_what_is_right()
    {
        Assert.True(CodeSelfCheck.Passes<PortableProducts>());
        Assert.True(!Avx2.IsSupported || CodeSelfCheck.Passes<Avx2Products>());
    }

    [Fact]
    public void The_check_finds_every_flaw()
    {
        Assert.False(CodeSelfCheck.Passes<FlawedProducts<TakesLeftAsSigned>>());
        Assert.False(CodeSelfCheck.Passes<FlawedProducts<TakesRightAsUnsigned>>());
        Assert.False(CodeSelfCheck.Passes<FlawedProducts<Saturates>>());
        Assert.False(CodeSelfCheck.Passes<FlawedProducts<ForgetsSums>>());
        Assert.False(CodeSelfCheck.Passes<FlawedProducts<SwapsOutputs>>());
        Assert.False(CodeSelfCheck.Passes<FlawedProducts<SmallAreSigned>>());
    }

    private static void AssertEqualsScalar<TProducts>()
        where TProducts : struct, ICodeProducts
    {
        var random = new Random(3);
        var (chunks, codes) = (new byte[Int8Codes.Bytes], new sbyte[4 * 32]);
        for (var n = 0; n < 200; n++)
        {
            random.NextBytes(chunks);
            for (var i = 0; i < codes.Length; i++)
            {
                codes[i] = (sbyte)random.Next(-127, 128);
            }

            fixed (byte* w = chunks)
            fixed (sbyte* x = codes)
            {
                Assert.Equal(Int4Codes.ScalarBlockSum(w, x), Int4Codes.BlockSum<TProducts>(w, x));
                Int4Codes.TileSums<TProducts>(w, x, x + 32, x + 64, x + 96, out var s0, out var s1, out var s2, out var s3);
                Assert.Equal(
                    [Int4Codes.ScalarBlockSum(w, x), Int4Codes.ScalarBlockSum(w, x + 32), Int4Codes.ScalarBlockSum(w, x + 64), Int4Codes.ScalarBlockSum(w, x + 96)],
                    new[] { s0, s1, s2, s3 });
                Assert.Equal(Int8Codes.ScalarBlockSum(w, x), Int8Codes.BlockSum<TProducts>(w, x));
                Int8Codes.TileSums<TProducts>(w, x, x + 32, x + 64, x + 96, out s0, out s1, out s2, out s3);
                Assert.Equal(
                    [Int8Codes.ScalarBlockSum(w, x), Int8Codes.ScalarBlockSum(w, x + 32), Int8Codes.ScalarBlockSum(w, x + 64), Int8Codes.ScalarBlockSum(w, x + 96)],
                    new[] { s0, s1, s2, s3 });
            }
        }
    }

    private static void AssertSameBits(int inputs, Func<CodeMatrices, KernelMatrix> create)
    {
        using var best = create(CodeMatrices.Best);
        using var model = create(new CodeMatrices<PortableProducts>());
        using var x = Activations(rows: 9, inputs);
        for (var rows = 1; rows <= 9; rows++)
        {
            Assert.Equal(Product(best, x, rows), Product(model, x, rows));
        }
    }
}
