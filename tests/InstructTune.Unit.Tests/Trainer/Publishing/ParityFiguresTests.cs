using InstructTune.Trainer.Publishing;

namespace InstructTune.Unit.Tests.Trainer.Publishing;

public sealed class ParityFiguresTests
{
    [Fact]
    public void Equal_logits_differ_by_nothing() =>
        Assert.Equal(new ParityFigures(2, 0, 0, 0, 1), ParityFigures.Of([[1, 2, 3], [4, 0, 0]], [[1, 2, 3], [4, 0, 0]]));

    [Fact]
    public void The_figures_are_those_of_their_definitions()
    {
        // Differences 0, 2; the reference spreads by -1, 1 around its mean. Both are certain of one token each, by e^2.
        var figures = ParityFigures.Of([[0, 2]], [[0, 0]]);
        var p = Math.Exp(2) / (1 + Math.Exp(2));
        Assert.Equal(2, figures.MaxLogitDifference);
        Assert.Equal(Math.Sqrt(4 / 2.0), figures.RelativeError, 12);
        Assert.Equal((p * Math.Log(2 * p)) + ((1 - p) * Math.Log(2 * (1 - p))), figures.MeanDivergence, 12);
        Assert.Equal(0, figures.TokenAgreement);
    }

    [Fact]
    public void What_is_no_number_agrees_with_nothing()
    {
        var figures = ParityFigures.Of([[1, 2]], [[1, float.NaN]]);
        Assert.Throws<ExportDisagreesException>(() => ParityBound.EightBits.Require(figures, "x"));
    }

    [Theory]
    [InlineData(0.05, true)]
    [InlineData(0.2, false)]
    public void A_bound_lets_through_what_is_below_it(double error, bool isFine)
    {
        var thrown = Record.Exception(() => ParityBound.EightBits.Require(new ParityFigures(1, 1, error, 0, 1), "x"));
        Assert.Equal(isFine, thrown is null);
    }
}
