using InstructTune.Metrics;
using InstructTune.Metrics.Ranking;

namespace InstructTune.Unit.Tests.Metrics.Ranking;

public sealed class OptionRankingTests
{
    [Theory]
    [InlineData("yes|no", "-2.0|-1.5", 1, 0)]
    [InlineData("na\u00EFve|plain", "-5.4|-5.0", 1, 1)]
    [InlineData("Paris|London|Rome", "-6.2|-6.0|-5.9", 2, 1)]
    [InlineData("\uD83D\uDE00\uD83D\uDE00|ok", "-3.0|-2.0", 1, 1)]
    [InlineData("a|b", "-1.0|-1.0", 0, 0)]
    public void Options_are_chosen_as_lm_evaluation_harness_chooses(string options, string logprobs, int acc, int accNorm)
    {
        var values = logprobs.Split('|').Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(acc, OptionRanking.Choose(values));
        Assert.Equal(accNorm, OptionRanking.ChooseByLength(values, options.Split('|')));
    }

    [Fact]
    public void An_empty_option_has_no_length_to_divide_by() =>
        Assert.Throws<ArgumentException>(() => OptionRanking.ChooseByLength([-1, -2], ["a", ""]));

    [Theory]
    [InlineData("rougeL", "rougeL/google+nltk-porter")]
    [InlineData("em/tk-instruct", "em/tk-instruct")]
    [InlineData("acc", "acc/lm-eval")]
    [InlineData("acc_norm", "acc_norm/lm-eval-chars")]
    public void A_metric_is_found_by_its_short_and_its_long_id(string id, string longId) => Assert.Equal(longId, MetricDefinition.Find(id)?.Id);

    [Theory]
    [InlineData("bleu")]
    [InlineData("em/")]
    [InlineData("")]
    public void An_unknown_id_names_no_metric(string id) => Assert.Null(MetricDefinition.Find(id));

    [Fact]
    public void A_choice_is_right_when_it_is_one_of_the_references()
    {
        var metric = Assert.IsType<ChoiceMetric>(MetricDefinition.Find("acc"));
        Assert.Equal(1, metric.Score(["no"], ["yes", "no"], [-2, -1]));
        Assert.Equal(0, metric.Score(["yes"], ["yes", "no"], [-2, -1]));
    }
}
