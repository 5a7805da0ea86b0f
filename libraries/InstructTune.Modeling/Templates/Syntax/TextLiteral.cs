using System.Globalization;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>The escapes of Python's string literals.</summary>
internal static class TextLiteral
{
    private const string Letters = "\\'\"abfnrtv";
    private const string Meanings = "\\'\"\a\b\f\n\r\t\v";

    public static string Unescape(ReadOnlySpan<char> text, int line)
    {
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            if (text[at] != '\\' || at + 1 >= text.Length)
            {
                result.Append(text[at++]);
                continue;
            }

            at += 1 + Escape(text[(at + 1)..], result, line);
        }

        return result.ToString();
    }

    // How much of the text after a backslash belongs to it.
    private static int Escape(ReadOnlySpan<char> rest, StringBuilder result, int line)
    {
        var letter = rest[0];
        if (letter == '\n')
        {
            return 1;
        }

        if (Letters.IndexOf(letter, StringComparison.Ordinal) is >= 0 and var known)
        {
            result.Append(Meanings[known]);
            return 1;
        }

        if (letter is >= '0' and <= '7')
        {
            var length = 1;
            while (length < 3 && length < rest.Length && rest[length] is >= '0' and <= '7')
            {
                length++;
            }

            result.Append((char)Convert.ToInt32(rest[..length].ToString(), 8));
            return length;
        }

        var digits = letter switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits == 0)
        {
            result.Append('\\').Append(letter);
            return 1;
        }

        if (rest.Length <= digits
            || !int.TryParse(rest.Slice(1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code is < 0 or > 0x10FFFF)
        {
            throw new TemplateException(TemplateFault.Syntax, $"a string has a broken \\{letter} escape", line);
        }

        result.Append(code is > 0xFFFF ? char.ConvertFromUtf32(code) : ((char)code).ToString());
        return 1 + digits;
    }
}
