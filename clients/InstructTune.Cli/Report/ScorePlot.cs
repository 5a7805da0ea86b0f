using InstructTune.Cli.Output;

namespace InstructTune.Cli.Report;

/// <summary>One score with its 95% interval.</summary>
internal sealed record ScorePoint(string Metric, string Arm, string Colour, double Value, double Lower, double Upper);

/// <summary>Scores as points with their intervals, one row each, grouped by metric.</summary>
internal static class ScorePlot
{
    private const int Width = 760;
    private const int Left = 330;
    private const int Right = 70;
    private const int Top = 20;
    private const int RowHeight = 26;
    private const int GroupGap = 14;
    private const int Bottom = 40;

    public static string Render(IReadOnlyList<ScorePoint> points)
    {
        if (points.Count == 0)
        {
            return "<p>No score was measured.</p>";
        }

        var groups = points.GroupBy(point => point.Metric).ToList();
        var height = Top + Bottom + (points.Count * RowHeight) + ((groups.Count - 1) * GroupGap);
        var svg = new Svg(Width, height);
        var x = new Axis(0, 1, Left, Width - Right, 5);
        foreach (var tick in x.Ticks)
        {
            svg.Line(x.Pixel(tick), Top, x.Pixel(tick), height - Bottom, "stroke=\"#ddd\"");
            svg.Text(x.Pixel(tick), height - Bottom + 18, x.Label(tick), "middle");
        }

        double y = Top + (RowHeight / 2.0);
        foreach (var group in groups)
        {
            svg.Text(8, y + 4, group.Key, style: "font-weight=\"bold\"");
            foreach (var point in group)
            {
                DrawRow(svg, x, y, point);
                y += RowHeight;
            }

            y += GroupGap;
        }

        svg.Text(Left + ((Width - Left - Right) / 2.0), height - 6, "score, with 95% interval", "middle");
        return svg.ToElement("Scores with 95% intervals");
    }

    private static void DrawRow(Svg svg, Axis x, double y, ScorePoint point)
    {
        var stroke = $"stroke=\"{point.Colour}\" stroke-width=\"2\"";
        svg.Text(Left - 12, y + 4, point.Arm, "end");
        svg.Line(x.Pixel(point.Lower), y, x.Pixel(point.Upper), y, stroke);
        svg.Line(x.Pixel(point.Lower), y - 5, x.Pixel(point.Lower), y + 5, stroke);
        svg.Line(x.Pixel(point.Upper), y - 5, x.Pixel(point.Upper), y + 5, stroke);
        svg.Circle(x.Pixel(point.Value), y, 4.5, $"fill=\"{point.Colour}\"");
        svg.Text(Width - Right + 12, y + 4, Formats.Score(point.Value));
    }
}
