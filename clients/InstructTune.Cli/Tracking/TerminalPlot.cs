using System.Globalization;

namespace InstructTune.Cli.Tracking;

/// <summary>A loss curve as lines of text, with the loss on the left and the step below.</summary>
internal static class TerminalPlot
{
    private const int LabelWidth = 8;

    /// <param name="points">Step and loss, in order of steps.</param>
    /// <param name="plannedSteps">Where the plot ends on the right, so that the curve grows into it.</param>
    /// <param name="columns">Characters in a line.</param>
    /// <param name="rows">Lines of the curve; one line of steps comes below.</param>
    public static IReadOnlyList<string> Render(IReadOnlyList<(long Step, double Loss)> points, long plannedSteps, int columns, int rows)
    {
        var finite = points.Where(point => double.IsFinite(point.Loss)).ToList();
        if (finite.Count == 0)
        {
            return ["No loss was reported yet."];
        }

        var canvas = new BrailleCanvas(Math.Max(8, columns - LabelWidth - 2), rows);
        var (low, high) = (finite.Min(point => point.Loss), finite.Max(point => point.Loss));
        var span = high > low ? high - low : 1;
        var last = Math.Max(plannedSteps, finite[^1].Step);
        int X(long step) => (int)Math.Round((double)(step - 1) / Math.Max(1, last - 1) * (canvas.Width - 1));
        int Y(double loss) => (int)Math.Round((high - loss) / span * (canvas.Height - 1));

        canvas.Set(X(finite[0].Step), Y(finite[0].Loss));
        foreach (var (from, to) in finite.Zip(finite.Skip(1)))
        {
            canvas.Line(X(from.Step), Y(from.Loss), X(to.Step), Y(to.Loss));
        }

        var lines = Enumerable.Range(0, rows).Select(row => Label(row, rows, low, high) + " \u2502" + canvas.Row(row)).ToList();
        var end = last.ToString(CultureInfo.InvariantCulture);
        lines.Add(new string(' ', LabelWidth) + " \u2514" + "1" + end.PadLeft(Math.Max(end.Length + 1, canvas.Width / 2) - 1));
        return lines;
    }

    private static string Label(int row, int rows, double low, double high)
    {
        var loss = row == 0 ? high : row == rows - 1 ? low : row == rows / 2 ? high - ((high - low) * row / (rows - 1)) : (double?)null;
        return (loss?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "").PadLeft(LabelWidth);
    }
}
