using System.Globalization;
using System.Net;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>HTML, as MarkupSafe writes it, and the quoting of URLs.</summary>
internal static class Escaping
{
    /// <summary>Escaped text; what is safe already stays.</summary>
    public static string Html(object? value, Meter meter)
    {
        if (value is Markup markup)
        {
            return markup.Text;
        }

        var text = TextForm.Of(value, meter);
        meter.Text(text.Length * 5L > meter.Limits.TextCharacters ? text.Length : text.Length * 5L);
        return text
            .Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("'", "&#39;", StringComparison.Ordinal)
            .Replace("\"", "&#34;", StringComparison.Ordinal);
    }

    public static string Unescape(string text) => WebUtility.HtmlDecode(text);

    /// <summary>Without comments and tags, white space squeezed.</summary>
    public static string StripTags(string text, Meter meter)
    {
        meter.Text(text.Length);
        text = Without(Without(text, "<!--", "-->"), "<", ">");
        return Unescape(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
    }

    public static string Url(string text, bool spaceIsPlus, string safe, Meter meter)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        meter.Text(bytes.Length * 3L);
        var result = new StringBuilder(bytes.Length);
        foreach (var part in bytes)
        {
            var character = (char)part;
            if (part < 128 && (char.IsAsciiLetterOrDigit(character) || "_.-~".Contains(character, StringComparison.Ordinal) || safe.Contains(character, StringComparison.Ordinal)))
            {
                result.Append(character);
            }
            else if (spaceIsPlus && character == ' ')
            {
                result.Append('+');
            }
            else
            {
                result.Append('%').Append(part.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return result.ToString();
    }

    private static string Without(string text, string open, string close)
    {
        var result = new StringBuilder();
        var at = 0;
        while (true)
        {
            var start = text.IndexOf(open, at, StringComparison.Ordinal);
            var end = start < 0 ? -1 : text.IndexOf(close, start + open.Length, StringComparison.Ordinal);
            if (end < 0)
            {
                return result.Append(text, at, text.Length - at).ToString();
            }

            result.Append(text, at, start - at);
            at = end + close.Length;
        }
    }
}
