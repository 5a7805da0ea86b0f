using System.Globalization;
using System.Net;
using System.Text;

namespace InstructTune.Cli.Report;

/// <summary>
/// A picture as SVG text. The reader's program draws it with its own fonts, so that nothing is fetched and no font has to lie on
/// the machine that makes the report.
/// </summary>
internal sealed class Svg(int width, int height)
{
    private readonly StringBuilder _body = new();

    public void Line(double x1, double y1, double x2, double y2, string style) =>
        _body.AppendLine($"<line x1=\"{N(x1)}\" y1=\"{N(y1)}\" x2=\"{N(x2)}\" y2=\"{N(y2)}\" {style}/>");

    public void Circle(double x, double y, double radius, string style) =>
        _body.AppendLine($"<circle cx=\"{N(x)}\" cy=\"{N(y)}\" r=\"{N(radius)}\" {style}/>");

    public void Path(IEnumerable<(double X, double Y)> points, string style) =>
        _body.AppendLine($"<polyline fill=\"none\" points=\"{string.Join(' ', points.Select(p => $"{N(p.X)},{N(p.Y)}"))}\" {style}/>");

    public void Text(double x, double y, string text, string anchor = "start", string style = "") =>
        _body.AppendLine($"<text x=\"{N(x)}\" y=\"{N(y)}\" text-anchor=\"{anchor}\" {style}>{WebUtility.HtmlEncode(text)}</text>");

    /// <summary>The whole element, with a title for those who do not see it.</summary>
    public string ToElement(string title) =>
        $"""
        <svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="#222">
        <title>{WebUtility.HtmlEncode(title)}</title>
        {_body}</svg>
        """;

    private static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
