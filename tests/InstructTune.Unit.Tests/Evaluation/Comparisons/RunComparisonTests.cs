using InstructTune.Evaluation.Comparisons;
using InstructTune.Evaluation.Suites;
using InstructTune.Metrics.Statistics;

namespace InstructTune.Unit.Tests.Evaluation.Comparisons;

public sealed class RunComparisonTests
{
    private static readonly Suite Suite = new("", [Samples.Task()]);

    [Fact]
    public void P_values_are_adjusted_over_all_comparisons_of_the_call()
    {
        var comparisons = RunComparison.Compare(Suite, [[Run("base", wins: 0)], [Run("much", wins: 12)], [Run("same", wins: 0)]], margin: 0.01);
        var raw = comparisons.Select(comparison => comparison.Paired.PValue).ToList();
        Assert.Equal(BenjaminiHochberg.Adjust(raw), comparisons.Select(comparison => comparison.AdjustedP));
        Assert.Equal([Verdict.Better, Verdict.Undecided], comparisons.Select(comparison => comparison.Judgement.Verdict));
    }

    [Fact]
    public void A_difference_within_the_margin_is_flagged() => Assert.Equal(
        ["BELOW_MARGIN", "SEED_VARIANCE_NOT_MEASURED"],
        RunComparison.Compare(Suite, [[Run("base", wins: 0)], [Run("more", wins: 12)]], margin: 0.5)[0].Flags);

    [Fact]
    public void Answers_are_paired_whatever_order_they_lie_in()
    {
        var (baseline, arm) = (Run("base", wins: 0), Run("more", wins: 5));
        var reversed = arm with { Answers = [.. arm.Answers.Reverse()] };
        Assert.Equal(RunComparison.Compare(Suite, [[baseline], [arm]], 0.01)[0].Paired, RunComparison.Compare(Suite, [[baseline], [reversed]], 0.01)[0].Paired);
    }

    [Theory]
    [InlineData("suite")]
    [InlineData("prompt format")]
    [InlineData("examples")]
    public void Arms_that_differ_in_what_must_be_equal_are_refused(string difference)
    {
        var arm = Run("arm", wins: 0);
        var other = difference switch
        {
            "suite" => arm with { SuiteId = "other" },
            "prompt format" => arm with { PromptFormatSha256 = "other" },
            _ => arm with { Answers = [.. arm.Answers.Skip(1)] },
        };
        var exception = Assert.Throws<RunsNotComparableException>(() => RunComparison.Compare(Suite, [[arm], [other]], 0.01));
        Assert.Equal(difference, exception.Difference);
    }

    [Fact]
    public void Seeds_that_disagree_leave_open_what_one_seed_seemed_to_show()
    {
        FinishedRun[] baseline = [Run("b1", wins: 0), Run("b2", wins: 0), Run("b3", wins: 0)];
        FinishedRun[] arm = [Run("a1", wins: 14), Run("a2", wins: 0), Run("a3", wins: 1)];

        var alone = RunComparison.Compare(Suite, [[baseline[0]], [arm[0]]], 0.01)[0];
        var together = RunComparison.Compare(Suite, [baseline, arm], 0.01)[0];

        Assert.Equal(Verdict.Better, alone.Judgement.Verdict);
        Assert.Equal(Verdict.Undecided, together.Judgement.Verdict);
        Assert.DoesNotContain("SEED_VARIANCE_NOT_MEASURED", together.Flags);
    }

    [Fact]
    public void Seeds_that_agree_show_a_difference()
    {
        FinishedRun[] baseline = [Run("b1", wins: 0), Run("b2", wins: 1), Run("b3", wins: 0)];
        FinishedRun[] arm = [Run("a1", wins: 14), Run("a2", wins: 15), Run("a3", wins: 14)];
        Assert.Equal(Verdict.Better, RunComparison.Compare(Suite, [baseline, arm], 0.01)[0].Judgement.Verdict);
    }

    private static FinishedRun Run(string name, int wins) => new(
        name, "suite", "format", [.. Enumerable.Range(0, 40).Select(index => Samples.Answer(index, score: index < wins || index >= 30 ? 1 : 0))]);
}
