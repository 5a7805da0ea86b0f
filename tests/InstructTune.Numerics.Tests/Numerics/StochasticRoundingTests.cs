using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Numerics;

public sealed class StochasticRoundingTests
{
    private const int Count = 1_000_000;

    [Theory]
    [InlineData(1.0009765625f, 1f, 1.0078125f)]
    [InlineData(-1.0009765625f, -1f, -1.0078125f)]
    [InlineData(3e-40f, 2.755065e-40f, 3.6734e-40f)]
    public void Only_the_two_neighbours_occur_and_their_mean_is_the_value(float value, float below, float above)
    {
        using var scope = NewDisposeScope();
        var values = full([Count], value, ScalarType.Float32);
        StochasticRounding.Apply(values, new StepSeed(5));
        var distinct = values.data<float>().ToArray().Distinct().OrderBy(Math.Abs).ToArray();
        Assert.Equal(2, distinct.Length);
        Assert.Equal(below, distinct[0], Math.Abs(below) * 1e-3);
        Assert.Equal(above, distinct[1], Math.Abs(above) * 1e-3);

        // Five deviations of the mean of so many draws.
        var step = Math.Abs((double)distinct[1] - distinct[0]);
        var share = Math.Abs(value - (double)distinct[0]) / step;
        Assert.Equal(value, values.to_type(ScalarType.Float64).mean().item<double>(), 5 * step * Math.Sqrt(share * (1 - share) / Count));
    }

    [Fact]
    public void What_is_bfloat16_already_stays_and_so_does_what_is_no_number()
    {
        using var scope = NewDisposeScope();
        float[] exact = [0, -0f, 1, -2.5f, 3.3895314e38f, 9.183549615799121e-41f, float.PositiveInfinity, float.NegativeInfinity];
        for (ulong seed = 0; seed < 50; seed++)
        {
            var values = tensor(exact);
            StochasticRounding.Apply(values, new StepSeed(seed));
            Assert.Equal(exact, values.data<float>().ToArray());
        }

        var nan = full([17], float.NaN, ScalarType.Float32);
        StochasticRounding.Apply(nan, new StepSeed(1));
        Assert.All(nan.data<float>().ToArray(), value => Assert.True(float.IsNaN(value)));
    }

    [Fact]
    public void Bits_follow_from_seed_and_place_whatever_the_length()
    {
        using var scope = NewDisposeScope();
        var (whole, prefix, other) = (Rounded(101, 3), Rounded(13, 3), Rounded(101, 4));
        Assert.Equal(prefix, whole[..13]);
        Assert.Equal(whole, Rounded(101, 3));
        Assert.NotEqual(whole, other);
    }

    [Fact]
    public void Uniform_noise_has_the_mean_and_the_variance_of_its_range()
    {
        using var scope = NewDisposeScope();
        var noise = UniformNoise.Draw([Count], new StepSeed(9)).to_type(ScalarType.Float64);
        Assert.InRange(noise.mean().item<double>(), -5 / Math.Sqrt(3.0 * Count), 5 / Math.Sqrt(3.0 * Count));
        Assert.Equal(1.0 / 3, (noise * noise).mean().item<double>(), 5 * Math.Sqrt(4.0 / 45 / Count));
        Assert.InRange(noise.min().item<double>(), -1, -0.9999);
        Assert.InRange(noise.max().item<double>(), 0.9999, 1 - 1e-9);
        Assert.Equal(UniformNoise.Draw([101], new StepSeed(2)).data<float>().ToArray()[..13], UniformNoise.Draw([13], new StepSeed(2)).data<float>().ToArray());
    }

    private static float[] Rounded(int count, ulong seed)
    {
        var values = full([count], 1.004f, ScalarType.Float32);
        StochasticRounding.Apply(values, new StepSeed(seed));
        return values.data<float>().ToArray();
    }
}
