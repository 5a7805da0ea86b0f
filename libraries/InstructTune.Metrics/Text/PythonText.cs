using System.Globalization;
using System.Text;

namespace InstructTune.Metrics.Text;

/// <summary>Text functions that equal Python's, where those of .NET differ.</summary>
internal static class PythonText
{
    private const int CapitalSigma = 0x3A3;

    /// <summary><c>str.lower()</c>: invariant, with U+0130 as two characters and the final sigma.</summary>
    public static string Lower(string text)
    {
        var lowered = text.ToLowerInvariant();
        return text.Contains('\u03A3', StringComparison.Ordinal) || text.Contains('\u0130', StringComparison.Ordinal)
            ? LowerByRune(text)
            : lowered;
    }

    /// <summary><c>str.split()</c>: at runs of white space, no empty pieces.</summary>
    public static List<string> Split(string text)
    {
        var pieces = new List<string>();
        var start = -1;
        for (var i = 0; i < text.Length; i++)
        {
            if (!IsWhiteSpace(text[i]))
            {
                start = start < 0 ? i : start;
            }
            else if (start >= 0)
            {
                pieces.Add(text[start..i]);
                start = -1;
            }
        }
        if (start >= 0)
        {
            pieces.Add(text[start..]);
        }
        return pieces;
    }

    /// <summary>The number of Unicode code points, as <c>len</c> counts.</summary>
    public static int CodePointCount(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }
        return count;
    }

    /// <summary>Whether <c>re</c> counts the rune as a word character.</summary>
    public static bool IsWord(Rune rune) => rune.Value == '_' || Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber
        or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>Whether the character is one of the 32 punctuation marks of ASCII.</summary>
    public static bool IsAsciiPunctuation(char c) => c is >= '!' and <= '/' or >= ':' and <= '@' or >= '[' and <= '`' or >= '{' and <= '~';

    // Python also splits at the four information separators.
    private static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    private static string LowerByRune(string text)
    {
        var runes = text.EnumerateRunes().ToArray();
        var lowered = new StringBuilder(text.Length);
        for (var i = 0; i < runes.Length; i++)
        {
            lowered.Append(runes[i].Value switch
            {
                0x130 => "i\u0307",
                CapitalSigma => IsFinal(runes, i) ? "\u03C2" : "\u03C3",
                _ => Rune.ToLowerInvariant(runes[i]).ToString(),
            });
        }
        return lowered.ToString();
    }

    private static bool IsFinal(Rune[] runes, int index)
    {
        var before = index - 1;
        while (before >= 0 && LetterCase.IsIgnorable(runes[before]))
        {
            before--;
        }
        var after = index + 1;
        while (after < runes.Length && LetterCase.IsIgnorable(runes[after]))
        {
            after++;
        }
        return before >= 0 && LetterCase.IsCased(runes[before]) && (after == runes.Length || !LetterCase.IsCased(runes[after]));
    }
}
