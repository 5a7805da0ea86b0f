using System.Globalization;
using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Upper, lower and title case with the full mappings of Unicode, as Python has them.</summary>
internal static class TextCase
{
    public static string Upper(string text) => Mapped(text, (part, result) =>
        result.Append(part.Length == 1 && SpecialCasing.Upper(part[0]) is { } special ? special : part.ToUpperInvariant()));

    public static string Lower(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            AppendLower(text, at, result);
        }

        return result.ToString();
    }

    /// <summary>The first letter large, the rest small.</summary>
    public static string Capitalize(string text)
    {
        if (text.Length == 0)
        {
            return text;
        }

        var first = char.IsSurrogatePair(text, 0) ? 2 : 1;
        var lower = Lower(text);
        return TitleOf(text[..first]) + (Lower(text[..first]) is var head && lower.StartsWith(head, StringComparison.Ordinal) ? lower[head.Length..] : lower[first..]);
    }

    /// <summary>As `str.title`: a letter after anything that is no letter is large.</summary>
    public static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var inside = false;
        for (var at = 0; at < text.Length; at++)
        {
            var part = char.IsSurrogatePair(text, at) ? text.Substring(at, 2) : text[at].ToString();
            if (inside)
            {
                AppendLower(text, at, result);
            }
            else
            {
                result.Append(TitleOf(part));
            }

            inside = IsCased(part);
            at += part.Length - 1;
        }

        return result.ToString();
    }

    public static string SwapCase(string text) => Mapped(text, (part, result) => result.Append(
        Lower(part) != part ? Lower(part) : Upper(part)));

    public static string TitleOf(string part)
    {
        if (part.Length == 1)
        {
            return SpecialCasing.Title(part[0]) ?? SpecialCasing.Upper(part[0]) ?? part.ToUpperInvariant();
        }

        return part.ToUpperInvariant();
    }

    /// <summary>Whether a code point is a letter with case.</summary>
    public static bool IsCased(string part) => CharUnicodeInfo.GetUnicodeCategory(part, 0)
        is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static void AppendLower(string text, int at, StringBuilder result)
    {
        switch (text[at])
        {
            case '\u0130':
                result.Append("i\u0307");
                break;
            case '\u03a3':
                result.Append(IsFinalSigma(text, at) ? '\u03c2' : '\u03c3');
                break;
            case var letter when char.IsHighSurrogate(letter) && char.IsSurrogatePair(text, at):
                result.Append(text.Substring(at, 2).ToLowerInvariant());
                break;
            case var letter when !char.IsLowSurrogate(letter) || at == 0 || !char.IsHighSurrogate(text[at - 1]):
                result.Append(char.ToLowerInvariant(letter));
                break;
        }
    }

    // The Greek sigma at the end of a word has a form of its own.
    private static bool IsFinalSigma(string text, int at)
    {
        var before = at - 1;
        while (before >= 0 && IsIgnorable(text[before]))
        {
            before--;
        }

        var after = at + 1;
        while (after < text.Length && IsIgnorable(text[after]))
        {
            after++;
        }

        return before >= 0 && IsCased(text[before].ToString()) && (after >= text.Length || !IsCased(text[after].ToString()));
    }

    private static bool IsIgnorable(char letter) => letter is '\'' or '.' or ':' or '^' or '`' or '\u00b7' or '\u2019'
        || CharUnicodeInfo.GetUnicodeCategory(letter) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter;

    private static string Mapped(string text, Action<string, StringBuilder> append)
    {
        var result = new StringBuilder(text.Length);
        foreach (var part in CodePoints.Split(text))
        {
            append(part, result);
        }

        return result.ToString();
    }
}
