using CsCheck;
using InstructTune.Cli.Report;

namespace InstructTune.Unit.Tests.Cli.Report;

public sealed class AxisTests
{
    [Fact]
    public void Ticks_are_round_numbers_around_the_values()
    {
        var axis = new Axis(0, 4.7, 0, 100, 5);
        Assert.Equal(["0", "1", "2", "3", "4", "5"], axis.Ticks.Select(axis.Label));
    }

    [Fact]
    public void Fractions_keep_their_digits()
    {
        var axis = new Axis(0, 1, 0, 100, 5);
        Assert.Equal(["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"], axis.Ticks.Select(axis.Label));
    }

    [Fact]
    public void Every_value_lies_within_the_picture_and_few_ticks_are_drawn() =>
        Gen.Select(Gen.Double[-1e4, 1e4], Gen.Double[0, 1e4], Gen.Int[2, 10]).Sample((min, span, wanted) =>
        {
            var axis = new Axis(min, min + span, 50, 250, wanted);
            return axis.Pixel(min) is >= 49.99 and <= 250.01
                && axis.Pixel(min + span) is >= 49.99 and <= 250.01
                && axis.Ticks.Count >= 2 && axis.Ticks.Count <= (2 * wanted) + 3;
        });
}
