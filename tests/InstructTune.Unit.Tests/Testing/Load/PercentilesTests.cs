using CsCheck;
using InstructTune.Testing.Load;

namespace InstructTune.Unit.Tests.Testing.Load;

public sealed class PercentilesTests
{
    [Fact]
    public void At_most_that_share_of_the_values_lies_below_a_percentile() =>
        Gen.Select(Gen.Double[-1e6, 1e6].Array[1, 300], Gen.Double[0, 1]).Sample((values, share) =>
        {
            var percentile = Percentiles.Of(values, share);

            Assert.Contains(percentile, values);
            Assert.True(values.Count(value => value < percentile) <= share * values.Length);
            Assert.True(values.Count(value => value <= percentile) >= Math.Min(values.Length, share * values.Length));
        });

    [Fact]
    public void Nothing_measured_is_not_a_number_and_no_time()
    {
        Assert.Equal(double.NaN, Percentiles.Of(Array.Empty<double>(), 0.5));
        Assert.Equal(TimeSpan.Zero, Percentiles.Of(Array.Empty<TimeSpan>(), 0.5));
    }

    [Fact]
    public void The_last_hundredth_of_few_is_the_greatest() =>
        Assert.Equal(TimeSpan.FromSeconds(3), Percentiles.Of([TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)], 0.99));
}
