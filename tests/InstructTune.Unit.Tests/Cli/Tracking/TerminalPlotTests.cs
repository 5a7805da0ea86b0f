using InstructTune.Cli.Tracking;

namespace InstructTune.Unit.Tests.Cli.Tracking;

public sealed class TerminalPlotTests
{
    [Fact]
    public void A_falling_loss_runs_from_the_upper_left_to_the_lower_right()
    {
        var lines = TerminalPlot.Render([(1, 4), (2, 3), (3, 2), (4, 1)], plannedSteps: 4, columns: 18, rows: 4);

        Assert.StartsWith("  4.0000 \u2502", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("  1.0000 \u2502", lines[3], StringComparison.Ordinal);
        Assert.NotEqual('\u2800', lines[0][10]);
        Assert.NotEqual('\u2800', lines[3][^1]);
        Assert.Equal('\u2800', lines[0][^1]);
        Assert.All(lines, line => Assert.Equal(18, line.Length));
        Assert.EndsWith("4", lines[4], StringComparison.Ordinal);
    }

    [Fact]
    public void A_curve_of_half_the_steps_fills_half_the_width()
    {
        var line = TerminalPlot.Render([(1, 1), (5, 1)], plannedSteps: 9, columns: 30, rows: 1)[0];
        var drawn = line[10..].Count(character => character != '\u2800');
        Assert.InRange(drawn, 10, 11);
    }

    [Fact]
    public void Without_a_finite_loss_it_says_so() =>
        Assert.Equal(["No loss was reported yet."], TerminalPlot.Render([(1, double.NaN)], 1, 40, 5));

    [Fact]
    public void Every_dot_of_a_cell_has_a_bit_of_its_own()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var dot = 0; dot < 8; dot++)
        {
            var canvas = new BrailleCanvas(1, 1);
            canvas.Set(dot % 2, dot / 2);
            Assert.True(seen.Add(canvas.Row(0)));
        }
    }
}
