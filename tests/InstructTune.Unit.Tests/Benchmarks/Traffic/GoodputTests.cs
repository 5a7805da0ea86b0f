using CsCheck;
using InstructTune.Benchmarks.Traffic;

namespace InstructTune.Unit.Tests.Benchmarks.Traffic;

public sealed class GoodputTests
{
    [Theory]
    [InlineData(2, 2.25, true)]
    [InlineData(2.001, 2.2, false)]
    [InlineData(0.1, 0.36, false)]
    public void A_request_is_good_with_its_first_token_and_its_pace_in_time(double first, double second, bool expected) =>
        Assert.Equal(expected, Goodput.IsGood(Traces.Of(0, second, Outcome.Answered, (first, 1), (second, 1))));

    [Fact]
    public void One_token_has_no_pace_to_keep() => Assert.True(Goodput.IsGood(Traces.Of(0, 1, Outcome.Answered, (1, 1))));

    [Theory]
    [InlineData(nameof(Outcome.Refused))]
    [InlineData(nameof(Outcome.Failed))]
    [InlineData(nameof(Outcome.Left))]
    [InlineData(nameof(Outcome.Running))]
    public void What_was_not_answered_is_not_good_however_fast(string outcome) =>
        Assert.False(Goodput.IsGood(Traces.Of(0, 0.1, Enum.Parse<Outcome>(outcome), (0.1, 1))));

    [Fact]
    public void Share_is_of_all_that_were_sent_and_the_rate_until_the_last_ended()
    {
        var goodput = Goodput.Of([
            Traces.Of(1, 2, Outcome.Answered, (1.5, 1), (1.6, 1)),
            Traces.Of(2, 6, Outcome.Answered, (5, 1), (5.1, 1)),
            Traces.Of(2, 2.01, Outcome.Refused),
            Traces.Of(3, 4, Outcome.Answered, (3.5, 1)),
        ]);

        Assert.Equal(0.5, goodput.Share, 9);
        Assert.Equal(2 / 5.0, goodput.PerSecond, 9);
    }

    [Fact]
    public void A_request_that_takes_longer_never_makes_goodput_better() =>
        Gen.Select(Gen.Double[0.01, 4].Array[1, 30], Gen.Int[0, 29], Gen.Double[0, 4]).Sample((firsts, slower, by) =>
        {
            static RequestTrace[] TracesOf(IEnumerable<double> firsts) => [.. firsts.Select(first => Traces.Of(0, first, Outcome.Answered, (first, 1)))];
            double[] late = [.. firsts.Select((first, i) => i == slower % firsts.Length ? first + by : first)];

            Assert.True(Goodput.Of(TracesOf(late)).Share <= Goodput.Of(TracesOf(firsts)).Share);
            Assert.True(Goodput.Of(TracesOf(late)).PerSecond <= Goodput.Of(TracesOf(firsts)).PerSecond);
        });
}
