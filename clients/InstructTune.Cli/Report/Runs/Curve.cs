using System.Globalization;
using System.Net;
using System.Text;

namespace InstructTune.Cli.Report.Runs;

/// <summary>
/// A chart of values over steps as inline SVG. Colours are classes, so that the page's light and dark styles apply; the title and the description say in words what
/// the picture shows.
/// </summary>
internal sealed class Curve(string title, string unit, IReadOnlyList<(string Stage, double Step)> borders)
{
    private const int Width = 780;
    private const int Height = 260;
    private const int Left = 64;
    private const int Right = 16;
    private const int Top = 34;
    private const int Bottom = 40;
    private const double LetterWidth = 7;

    // More than a line of this width can show only makes the file larger.
    private const int MaxPoints = 1200;

    /// <param name="series">The lines, the first one in front.</param>
    /// <param name="plannedSteps">Where the plot ends on the right.</param>
    /// <param name="fromZero">Whether the scale begins at zero.</param>
    public string Render(IReadOnlyList<Series> series, double plannedSteps, bool fromZero = false)
    {
        var shown = series.Where(s => s.Points.Count > 0).ToList();
        if (shown.Count == 0)
        {
            return "";
        }

        var values = shown.SelectMany(s => s.Points).Select(p => p.Value).ToList();
        var x = new Axis(0, Math.Max(1, plannedSteps), Left, Width - Right, 8);
        var y = new Axis(fromZero ? Math.Min(0, values.Min()) : values.Min(), values.Max(), Height - Bottom, Top, 4);
        var svg = new StringBuilder();
        Frame(svg, x, y);
        foreach (var (index, line) in shown.Index().Reverse())
        {
            Draw(svg, x, y, line, index);
        }

        var legend = string.Concat(shown.Index().Select(entry => $"<span class=\"key k{entry.Index}\">{E(Label(entry.Item.Name))}</span>"));
        return
            $"<figure><figcaption>{E(title)} <span class=\"unit\">{E(unit)}</span>{(shown.Count > 1 ? legend : "")}</figcaption>"
            + $"<svg role=\"img\" viewBox=\"0 0 {Width} {Height}\" aria-label=\"{E(title)}\"><title>{E(title)}</title><desc>{E(Describe(shown))}</desc>{svg}</svg></figure>";
    }

    private void Frame(StringBuilder svg, Axis x, Axis y)
    {
        foreach (var tick in y.Ticks)
        {
            svg.Append(Inv($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y.Pixel(tick):0.#}\" y2=\"{y.Pixel(tick):0.#}\"/><text x=\"{Left - 8}\" y=\"{y.Pixel(tick) + 4:0.#}\" text-anchor=\"end\">{E(Tick(y, tick))}</text>"));
        }

        foreach (var tick in x.Ticks.Where(tick => tick == Math.Floor(tick)))
        {
            svg.Append(Inv($"<text x=\"{x.Pixel(tick):0.#}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{E(x.Label(tick))}</text>"));
        }

        svg.Append(Inv($"<line class=\"axis\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom}\"/><text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 4}\" text-anchor=\"middle\">optimizer steps</text>"));
        // A short stage is narrower than its name: the next name moves aside.
        double free = Left;
        foreach (var (stage, step) in borders)
        {
            var at = x.Pixel(step);
            var name = Math.Max(at + 5, free);
            free = name + (LetterWidth * stage.Length) + LetterWidth;
            svg.Append(step > 0 ? Inv($"<line class=\"border\" x1=\"{at:0.#}\" x2=\"{at:0.#}\" y1=\"{Top - 14}\" y2=\"{Height - Bottom}\"/>") : "")
                .Append(borders.Count > 1 ? Inv($"<text class=\"stage\" x=\"{name:0.#}\" y=\"{Top - 16}\">{E(stage)}</text>") : "");
        }
    }

    private static void Draw(StringBuilder svg, Axis x, Axis y, Series line, int index)
    {
        var every = Math.Max(1, line.Points.Count / MaxPoints);
        var points = line.Points.Where((_, i) => i % every == 0 || i == line.Points.Count - 1).ToList();
        var text = string.Join(' ', points.Select(p => Inv($"{x.Pixel(p.Step):0.#},{y.Pixel(p.Value):0.#}")));
        svg.Append(Inv($"<polyline class=\"line c{index}\" points=\"{text}\"/>"));
        if (points.Count <= 40)
        {
            svg.AppendJoin("", points.Select(p => Inv($"<circle class=\"dot c{index}\" cx=\"{x.Pixel(p.Step):0.#}\" cy=\"{y.Pixel(p.Value):0.#}\" r=\"3\"><title>step {p.Step}: {p.Value:G5}</title></circle>")));
        }
    }

    private static string Describe(IEnumerable<Series> series) => string.Join(" ", series.Select(line => Inv(
        $"{Label(line.Name)}: {line.Points.Count} points, from {line.Points[0].Value:G5} at step {line.Points[0].Step} to {line.Points[^1].Value:G5} at step {line.Points[^1].Step}, smallest {line.Points.Min(p => p.Value):G5}, largest {line.Points.Max(p => p.Value):G5}.")));

    // Rates are too small for plain digits.
    private static string Tick(Axis axis, double tick) =>
        tick == 0 ? "0" : axis.Ticks.Max(Math.Abs) < 1e-3 ? tick.ToString("0.##e+0", CultureInfo.InvariantCulture) : axis.Label(tick);

    internal static string Label(string name) => name.Replace('_', ' ');

    private static string Inv(FormattableString text) => FormattableString.Invariant(text);

    private static string E(string text) => WebUtility.HtmlEncode(text);
}
