using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Texts made longer.</summary>
internal static class TextPad
{
    public static string Of(string text, BoundArguments bound, char align, Meter meter)
    {
        var fill = bound.Text(1, " ");
        return CodePoints.Count(fill) == 1
            ? Of(text, bound.Number(0), align, fill, meter)
            : throw TemplateException.Type("The fill character must be exactly one character long");
    }

    public static string Of(string text, long width, char align, string fill, Meter meter)
    {
        var missing = width - CodePoints.Count(text);
        if (missing <= 0)
        {
            return text;
        }

        meter.Text(text.Length + (missing * fill.Length));

        // As CPython: of an odd number of places, the left one only where the width is odd.
        var left = align switch { '<' => 0, '>' => missing, _ => (missing / 2) + (missing & width & 1) };
        return Repeated(fill, left) + text + Repeated(fill, missing - left);
    }

    public static string Zeros(string text, long width, Meter meter)
    {
        var sign = text.Length > 0 && text[0] is '+' or '-' ? text[..1] : "";
        return sign + Of(text[sign.Length..], width - sign.Length, '>', "0", meter);
    }

    public static string Tabs(string text, long size, Meter meter)
    {
        meter.Text(text.Length + (text.Count(c => c == '\t') * Math.Max(0, size)));
        var result = new StringBuilder();
        var column = 0L;
        foreach (var part in CodePoints.Split(text))
        {
            if (part == "\t")
            {
                var spaces = size > 0 ? size - (column % size) : 0;
                result.Append(' ', (int)spaces);
                column += spaces;
                continue;
            }

            column = part is "\n" or "\r" ? 0 : column + 1;
            result.Append(part);
        }

        return result.ToString();
    }

    public static string Repeated(string fill, long count) => fill.Length == 1 ? new string(fill[0], (int)count) : string.Concat(Enumerable.Repeat(fill, (int)count));
}
