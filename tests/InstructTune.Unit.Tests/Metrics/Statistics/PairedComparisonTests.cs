using CsCheck;
using InstructTune.Metrics.Statistics;

namespace InstructTune.Unit.Tests.Metrics.Statistics;

public sealed class PairedComparisonTests
{
    [Fact]
    public void Disagreements_of_yes_or_no_scores_give_the_published_interval()
    {
        var comparison = Binary(wins: 12, losses: 3, ties: 85);
        Assert.Equal(.09, comparison.Difference, 1e-12);
        Assert.Equal(.015796961, comparison.Interval95.Lower, 1e-9);
        Assert.Equal(.164203039, comparison.Interval95.Upper, 1e-9);
        Assert.Equal(.03515625, comparison.PValue, 1e-12);
        Assert.Equal((12, 3, 85), (comparison.Wins, comparison.Losses, comparison.Ties));
        Assert.False(comparison.HasFewDisagreements);
    }

    [Fact]
    public void Real_valued_differences_give_the_published_interval()
    {
        double[] differences = [.12, -.05, .30, .08, 0, .21, -.02, .15];
        var comparison = PairedComparison.Of([.1, .1, .1, .1, .1, .1, .1, .1], [.. differences.Select(d => d + .1)], seed: 0);
        Assert.Equal(.09875, comparison.Difference, 1e-12);
        Assert.Equal(-.0023100265, comparison.Interval95.Lower, 1e-9);
        Assert.Equal(.1998100265, comparison.Interval95.Upper, 1e-9);
        Assert.Equal(.0625, comparison.PValue, 1e-12);
    }

    [Fact]
    public void Exchanging_the_runs_exchanges_the_signs()
    {
        var scores = Gen.Double[0, 1].Array[12];
        Gen.Select(scores, scores).Sample((left, right) =>
        {
            var forth = PairedComparison.Of(left, right, seed: 3);
            var back = PairedComparison.Of(right, left, seed: 3);
            return Math.Abs(forth.Difference + back.Difference) < 1e-12 && forth.PValue == back.PValue
                && forth.Wins == back.Losses && Math.Abs(forth.Interval95.Lower + back.Interval95.Upper) < 1e-12;
        });
    }

    [Fact]
    public void A_difference_that_is_shown_is_better_or_worse()
    {
        Assert.Equal(Verdict.Better, Judgement.Of(Binary(40, 22, 4938), adjustedP: .03, margin: .001).Verdict);
        Assert.Equal(Verdict.Worse, Judgement.Of(Binary(22, 40, 4938), adjustedP: .03, margin: .001).Verdict);
    }

    [Fact]
    public void A_difference_that_is_shown_but_lies_within_the_margin_is_below_it()
    {
        Assert.True(Judgement.Of(Binary(40, 22, 4938), adjustedP: .03, margin: .01).BelowMargin);
        Assert.False(Judgement.Of(Binary(40, 22, 4938), adjustedP: .03, margin: .001).BelowMargin);
    }

    [Fact]
    public void An_interval_within_the_margin_shows_equivalence() =>
        Assert.Equal(new Judgement(Verdict.Equivalent, BelowMargin: false), Judgement.Of(Binary(20, 20, 4960), adjustedP: 1, margin: .01));

    [Fact]
    public void A_wide_interval_around_no_difference_shows_nothing() =>
        Assert.Equal(Verdict.Undecided, Judgement.Of(Binary(20, 20, 160), adjustedP: 1, margin: .01).Verdict);

    [Fact]
    public void Few_items_without_any_disagreement_are_no_proof_of_equality()
    {
        var few = Binary(0, 0, 20);
        Assert.True(few.HasFewDisagreements);
        Assert.Equal(Verdict.Undecided, Judgement.Of(few, adjustedP: 1, margin: .01).Verdict);
        Assert.Equal(Verdict.Equivalent, Judgement.Of(Binary(0, 0, 1000), adjustedP: 1, margin: .01).Verdict);
    }

    [Fact]
    public void One_item_shows_nothing() =>
        Assert.Equal(Verdict.Undecided, Judgement.Of(Binary(1, 0, 0), adjustedP: 1, margin: .01).Verdict);

    private static PairedComparison Binary(int wins, int losses, int ties)
    {
        double[] baseline = [.. Enumerable.Repeat(0.0, wins), .. Enumerable.Repeat(1.0, losses), .. Enumerable.Repeat(1.0, ties)];
        double[] candidate = [.. Enumerable.Repeat(1.0, wins), .. Enumerable.Repeat(0.0, losses), .. Enumerable.Repeat(1.0, ties)];
        return PairedComparison.Of(baseline, candidate, seed: 0);
    }
}
