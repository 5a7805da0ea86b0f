using CsCheck;
using InstructTune.Metrics.Rouge;

namespace InstructTune.Unit.Tests.Metrics.Rouge;

public sealed class RougeMetricTests
{
    [Theory]
    [InlineData("The cat sat on the mat.", "the cats sat on a mat", .833333, .833333, .666667, .666667)]
    [InlineData("Caf\u00E9 au lait", "cafe au lait", .666667, .666667, .666667, .666667)]
    [InlineData("running quickly", "run quick", .5, .5, 0, 0)]
    [InlineData("a b c d", "d c b a", 1, .25, 1, .25)]
    [InlineData("police killed the gunman", "the gunman kill police", 1, .5, .75, .5)]
    [InlineData("one_two", "one two", 1, 1, 1, 1)]
    [InlineData("negative", "neg", 1, 1, 0, 0)]
    [InlineData("\uFF13", "3", 0, 0, 0, 0)]
    [InlineData("It\u2019s", "its", 0, 0, 0, 0)]
    [InlineData("", "", 0, 0, 0, 0)]
    public void Pairs_have_the_f_measure_of_rouge_score(
        string prediction, string reference, double rouge1Stemmed, double rougeLStemmed, double rouge1, double rougeL)
    {
        Assert.Equal(rouge1Stemmed, RougeMetric.RougeN(reference, prediction, 1, stem: true).FMeasure, 1e-6);
        Assert.Equal(rougeLStemmed, RougeMetric.RougeL(reference, prediction, stem: true).FMeasure, 1e-6);
        Assert.Equal(rouge1, RougeMetric.RougeN(reference, prediction, 1, stem: false).FMeasure, 1e-6);
        Assert.Equal(rougeL, RougeMetric.RougeL(reference, prediction, stem: false).FMeasure, 1e-6);
    }

    [Fact]
    public void The_summary_score_takes_the_union_over_lines()
    {
        var score = RougeMetric.RougeLsum("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", stem: false);
        Assert.Equal(new RougeScore(.4, .8), score);
        Assert.Equal(.533333, score.FMeasure, 1e-6);
    }

    [Fact]
    public void The_summary_score_splits_at_line_feeds_only()
    {
        Assert.Equal(1, RougeMetric.RougeLsum("First sentence.\nSecond Sentence.", "Second sentence.\nFirst Sentence.", stem: true).FMeasure);
        Assert.Equal(.5, RougeMetric.RougeLsum("First sentence. Second Sentence.", "Second sentence. First Sentence.", stem: true).FMeasure);
    }

    [Theory]
    [InlineData("ab", "ba", "0")]
    [InlineData("abcbdab", "bdcaba", "1,2,3,5")]
    [InlineData("12345", "2534", "1,2,3")]
    [InlineData("12345", "13895", "0,2,4")]
    public void Among_equal_subsequences_the_one_of_rouge_score_is_taken(string reference, string prediction, string indices) =>
        Assert.Equal(indices, string.Join(',', CommonSubsequence.Indices(Letters(reference), Letters(prediction))));

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void Grams_of_other_lengths_than_1_to_9_are_refused(int n) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => RougeMetric.RougeN("a", "a", n, stem: false));

    [Fact]
    public void Scores_lie_between_0_and_1_and_a_text_matches_itself()
    {
        var texts = Gen.String[Gen.Char["abc de\n\u00E9."], 0, 30];
        Gen.Select(texts, texts).Sample((reference, prediction) =>
        {
            var score = RougeMetric.RougeL(reference, prediction, stem: true);
            var self = RougeMetric.RougeL(reference, reference, stem: true);
            return score.FMeasure is >= 0 and <= 1
                && self.FMeasure == (RougeTokenizer.Tokenize(reference, stem: true).Count > 0 ? 1 : 0);
        });
    }

    private static List<string> Letters(string text) => [.. text.Select(letter => letter.ToString())];
}
