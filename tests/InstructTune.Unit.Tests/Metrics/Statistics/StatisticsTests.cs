using CsCheck;
using InstructTune.Metrics.Statistics;

namespace InstructTune.Unit.Tests.Metrics.Statistics;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(7, 10, .39677814746114537, .892208732593699)]
    [InlineData(78, 100, .6892964648501421, .849987176153946)]
    [InlineData(0, 10, 0, .27753279986288915)]
    [InlineData(10, 10, .7224672001371109, 1)]
    [InlineData(4000, 5000, .7886843227480312, .8108550560849347)]
    public void Wilson_intervals(long successes, long count, double lower, double upper)
    {
        var interval = ScoreInterval.Wilson(successes, count);
        Assert.Equal(lower, interval.Lower, 1e-12);
        Assert.Equal(upper, interval.Upper, 1e-12);
    }

    [Theory]
    [InlineData(12, 3, .03515625)]
    [InlineData(40, 22, .030015864349067292)]
    [InlineData(3, 0, .25)]
    [InlineData(300, 240, .011050481081930009)]
    [InlineData(5, 5, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 0, 1)]
    public void Exact_mcnemar(long wins, long losses, double p) => Assert.Equal(p, McNemar.ExactP(wins, losses), 1e-12);

    [Theory]
    [InlineData(0UL, 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f)]
    [InlineData(1234567UL, 6457827717110365317, 3203168211198807973, 9817491932198370423)]
    public void The_generator_has_its_published_sequence(ulong state, ulong first, ulong second, ulong third)
    {
        var random = new SplitMix64(state);
        Assert.Equal([first, second, third], [random.Next(), random.Next(), random.Next()]);
    }

    [Fact]
    public void Indices_are_the_high_bits_of_the_product()
    {
        var random = new SplitMix64(7);
        Assert.Equal([3, 0, 9, 5, 4, 2, 4, 3, 1, 4, 1, 9], Enumerable.Range(0, 12).Select(_ => random.NextIndex(10)));
    }

    [Fact]
    public void A_permutation_holds_every_number_once_and_its_beginning_does_not_depend_on_how_much_is_taken()
    {
        Gen.Select(Gen.ULong, Gen.Int[1, 50], Gen.Int[1, 50]).Sample((seed, count, take) =>
        {
            var all = new SplitMix64(seed).Permute(count, count);
            return all.Order().SequenceEqual(Enumerable.Range(0, count).Select(i => (long)i))
                && new SplitMix64(seed).Permute(count, take).SequenceEqual(all.Take(take));
        });
    }

    [Fact]
    public void Benjamini_hochberg_adjusts_in_the_order_given()
    {
        double[] p = [.216, .001, .008, .039, .041, .042, .06, .074, .205, .212];
        double[] expected = [.216, .01, .04, .084, .084, .084, .1, .1057142857, .216, .216];
        Assert.All(expected.Zip(BenjaminiHochberg.Adjust(p)), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }

    [Fact]
    public void The_mean_of_scores_that_are_not_0_or_1_has_the_interval_of_student()
    {
        var interval = ScoreInterval.OfScores([.12, .05, .30, .08, 0, .21, .02, .15]);
        var moments = Moments.Of([.12, .05, .30, .08, 0, .21, .02, .15]);
        Assert.Equal(moments.Mean + (2.364624251592785 * moments.StandardError), interval.Upper, 1e-12);
    }

    [Fact]
    public void One_score_alone_leaves_everything_open() => Assert.Equal(new Interval(0, 1), ScoreInterval.OfScores([.4]));

    [Fact]
    public void Random_sign_flips_repeat_with_their_seed_and_agree_with_enumeration()
    {
        double[] twenty = [.12, -.05, .30, .08, .11, .21, -.02, .15, -.3, .07, .02, -.09, .13, .04, -.01, .06, .2, -.12, .03, .09];
        var exact = SignFlip.PValue(twenty, seed: 1);
        double[] more = [.. twenty, 1e-7];
        Assert.Equal(SignFlip.PValue(more, seed: 1), SignFlip.PValue(more, seed: 1));
        Assert.NotEqual(SignFlip.PValue(more, seed: 1), SignFlip.PValue(more, seed: 2));
        Assert.Equal(exact, SignFlip.PValue(more, seed: 1), 0.01);
    }
}
