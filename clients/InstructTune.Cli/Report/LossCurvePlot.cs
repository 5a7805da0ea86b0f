namespace InstructTune.Cli.Report;

/// <summary>One curve of a loss plot.</summary>
/// <param name="Name">Shown in the legend.</param>
/// <param name="Colour">Of the line.</param>
/// <param name="Points">Step and loss; steps are counted from the start of the last stage, earlier ones are negative.</param>
internal sealed record LossCurve(string Name, string Colour, IReadOnlyList<(double Step, double Loss)> Points);

/// <summary>Training loss by optimizer step, aligned at the start of the last stage.</summary>
internal static class LossCurvePlot
{
    private const int Width = 760;
    private const int Height = 340;
    private const int Left = 60;
    private const int Right = 20;
    private const int Top = 40;
    private const int Bottom = 50;

    public static string Render(IReadOnlyList<LossCurve> curves)
    {
        var points = curves.SelectMany(curve => curve.Points).ToList();
        if (points.Count == 0)
        {
            return "<p>No loss was reported.</p>";
        }

        var svg = new Svg(Width, Height);
        var x = new Axis(points.Min(p => p.Step), points.Max(p => p.Step), Left, Width - Right, 8);
        var y = new Axis(0, points.Max(p => p.Loss), Height - Bottom, Top, 6);
        DrawFrame(svg, x, y, hasEarlierStage: points.Any(p => p.Step < 0));
        foreach (var curve in curves)
        {
            svg.Path(curve.Points.Select(p => (x.Pixel(p.Step), y.Pixel(p.Loss))), $"stroke=\"{curve.Colour}\" stroke-width=\"1.5\"");
        }

        // Seeds of one way to train share its name and colour.
        foreach (var (index, curve) in curves.DistinctBy(curve => curve.Name).Index())
        {
            svg.Line(Left + (index * 260), 16, Left + (index * 260) + 22, 16, $"stroke=\"{curve.Colour}\" stroke-width=\"3\"");
            svg.Text(Left + (index * 260) + 28, 20, curve.Name);
        }

        return svg.ToElement("Training loss by optimizer step");
    }

    private static void DrawFrame(Svg svg, Axis x, Axis y, bool hasEarlierStage)
    {
        foreach (var tick in y.Ticks)
        {
            svg.Line(Left, y.Pixel(tick), Width - Right, y.Pixel(tick), "stroke=\"#ddd\"");
            svg.Text(Left - 8, y.Pixel(tick) + 4, y.Label(tick), "end");
        }

        foreach (var tick in x.Ticks)
        {
            svg.Line(x.Pixel(tick), Height - Bottom, x.Pixel(tick), Height - Bottom + 5, "stroke=\"#222\"");
            svg.Text(x.Pixel(tick), Height - Bottom + 18, x.Label(tick), "middle");
        }

        svg.Line(Left, Height - Bottom, Width - Right, Height - Bottom, "stroke=\"#222\"");
        if (hasEarlierStage)
        {
            svg.Line(x.Pixel(0), Top, x.Pixel(0), Height - Bottom, "stroke=\"#888\" stroke-dasharray=\"4 3\"");
            svg.Text(x.Pixel(0) - 6, Top + 12, "generalist", "end", "fill=\"#666\"");
            svg.Text(x.Pixel(0) + 6, Top + 12, "specialist", "start", "fill=\"#666\"");
        }

        svg.Text(Left + ((Width - Left - Right) / 2.0), Height - 10, "optimizer steps, from the start of the specialist stage", "middle");
        svg.Text(16, Top - 8, "nats per token");
    }
}
