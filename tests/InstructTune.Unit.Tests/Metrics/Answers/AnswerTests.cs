using CsCheck;
using InstructTune.Metrics.Answers;

namespace InstructTune.Unit.Tests.Metrics.Answers;

public sealed class AnswerTests
{
    [Theory]
    [InlineData("U.S.A.", "usa", true)]
    [InlineData("It's 3.5%", "its 35", true)]
    [InlineData("", "!!!", true)]
    [InlineData("\u03A3", "\u03C3", true)]
    [InlineData("a\u001Cb", "a b", true)]
    [InlineData("the answer", "answer", false)]
    [InlineData("100", "1 00", false)]
    [InlineData("Stra\u00DFe", "STRASSE", false)]
    public void Exact_match_of_tk_instruct_keeps_articles(string prediction, string reference, bool matches) =>
        Assert.Equal(matches, TkInstruct.ExactMatch(reference, prediction));

    [Theory]
    [InlineData("in Paris, France", "Paris", false, .5)]
    [InlineData("Obama Barack Obama", "Barack Obama", false, .8)]
    [InlineData("an apple a day", "apple day", true, 1)]
    [InlineData("", "", true, 0)]
    [InlineData("the", "The.", true, 0)]
    [InlineData("twenty-one", "twenty one", false, 0)]
    [InlineData("J. R. R. Tolkien", "J.R.R. Tolkien", false, 1 / 3.0)]
    [InlineData("the\u0301 x", "x", false, 2 / 3.0)]
    [InlineData("theater", "ater", false, 0)]
    public void Squad_drops_articles_and_counts_common_words(string prediction, string reference, bool matches, double f1)
    {
        Assert.Equal(matches, Squad.ExactMatch(reference, prediction));
        Assert.Equal(f1, Squad.F1(reference, prediction), 1e-12);
    }

    [Fact]
    public void F1_and_exact_match_are_symmetric()
    {
        var texts = Gen.String[Gen.Char["aA the.\u0130\u03A3"], 0, 12];
        Gen.Select(texts, texts).Sample((left, right) =>
            Math.Abs(Squad.F1(left, right) - Squad.F1(right, left)) < 1e-12
            && TkInstruct.ExactMatch(left, right) == TkInstruct.ExactMatch(right, left));
    }

    [Fact]
    public void An_answer_without_references_cannot_be_marked() =>
        Assert.Throws<ArgumentException>(() => BestReference.Score([], "a", Squad.F1));
}
