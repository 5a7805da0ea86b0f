using InstructTune.Benchmarks.Traffic;

namespace InstructTune.Unit.Tests.Benchmarks.Traffic;

public sealed class RequestTraceTests
{
    [Fact]
    public void First_token_pace_and_gaps_are_those_of_the_definitions()
    {
        var trace = Traces.Of(sent: 10, ended: 13.1, Outcome.Answered, (11, 1), (11.5, 1), (13, 3));

        Assert.Equal(1, trace.FirstTokenSeconds, 9);
        Assert.Equal(5, trace.Tokens);
        Assert.Equal((13.0 - 11) / 4, trace.SecondsPerToken, 9);
        Assert.Equal([0.5, 1.5], trace.Gaps().Select(gap => gap.Seconds));
    }

    [Fact]
    public void Tokens_within_a_window_are_those_that_came_in_it() =>
        Assert.Equal(4, Traces.Of(0, 4, Outcome.Answered, (1, 1), (2, 1), (2.5, 3), (3, 7)).TokensWithin(new Span(2, 3)));

    [Fact]
    public void A_request_without_tokens_has_no_first_and_no_pace()
    {
        var trace = Traces.Of(5, 5.1, Outcome.Refused);

        Assert.Equal(double.PositiveInfinity, trace.FirstTokenSeconds);
        Assert.Equal(double.NaN, trace.SecondsPerToken);
        Assert.Empty(trace.Gaps());
    }

    [Theory]
    [InlineData(0, 1, 1, 2, false)]
    [InlineData(0, 1.1, 1, 2, true)]
    [InlineData(1.2, 1.3, 1, 2, true)]
    [InlineData(0, 9, 1, 2, true)]
    [InlineData(2, 3, 1, 2, false)]
    public void Spans_overlap_where_they_share_time(double from, double to, double otherFrom, double otherTo, bool expected)
    {
        Assert.Equal(expected, new Span(from, to).Overlaps(new Span(otherFrom, otherTo)));
        Assert.Equal(expected, new Span(otherFrom, otherTo).Overlaps(new Span(from, to)));
    }
}
