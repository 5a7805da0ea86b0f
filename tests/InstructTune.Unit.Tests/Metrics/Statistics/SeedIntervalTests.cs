using CsCheck;
using InstructTune.Metrics.Statistics;

namespace InstructTune.Unit.Tests.Metrics.Statistics;

public sealed class SeedIntervalTests
{
    // The vector was computed with an independent program, to the digits given.
    [Fact]
    public void Variance_of_seeds_and_items_adds_up_with_Satterthwaites_degrees_of_freedom()
    {
        var combined = SeedInterval.Of([0.021, 0.034, 0.008], itemStandardError: 0.006, itemCount: 20);

        Assert.Equal(0.021, combined.Difference, 12);
        Assert.Equal(0.00960902353693305, combined.StandardError, 12);
        Assert.Equal(5.151535282612498, combined.DegreesOfFreedom, 9);
        Assert.Equal(-0.0034838321, combined.At(0.95).Lower, 9);
        Assert.Equal(0.0454838321, combined.At(0.95).Upper, 9);
        Assert.Equal(0.0017624615, combined.At(0.90).Lower, 1e-9);
        Assert.Equal(0.0402375386, combined.At(0.90).Upper, 9);
        Assert.Equal(0.0789592945, combined.PValue, 9);
    }

    [Fact]
    public void One_seed_says_nothing_of_seeds() =>
        Assert.Throws<ArgumentException>(() => SeedInterval.Of([0.1], itemStandardError: 0.01, itemCount: 20));

    [Fact]
    public void The_interval_excludes_no_difference_exactly_when_the_p_value_is_below_its_level() =>
        Gen.Double[-0.2, 0.2].Array[2, 6].Sample(differences =>
        {
            var combined = SeedInterval.Of(differences, itemStandardError: 0.02, itemCount: 100);
            var interval = combined.At(0.95);
            // At the border itself rounding decides.
            if (Math.Abs(combined.PValue - 0.05) > 1e-9)
            {
                Assert.Equal(combined.PValue < 0.05, interval.Lower > 0 || interval.Upper < 0);
            }
        });

    [Fact]
    public void Runs_with_one_seed_compare_as_before()
    {
        double[] baseline = [0, 0, 1, 1, 0, 1];
        double[] candidate = [1, 0, 1, 1, 1, 0];
        Assert.Equal(PairedComparison.Of(baseline, candidate, 7), PairedComparison.OfSeeds([baseline], [candidate], 7));
    }
}
