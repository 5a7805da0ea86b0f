using System.Globalization;
using System.Text;

namespace InstructTune.Metrics.Text;

/// <summary>The Unicode properties Cased and Case_Ignorable, which decide the form of a final sigma.</summary>
internal static class LetterCase
{
    // Word_Break = MidLetter, MidNumLet or Single_Quote.
    private const string IgnorableMarks =
        "'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";

    public static bool IsIgnorable(Rune rune)
    {
        var category = Rune.GetUnicodeCategory(rune);
        return category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
            || (rune.IsBmp && IgnorableMarks.Contains((char)rune.Value, StringComparison.Ordinal));
    }

    public static bool IsCased(Rune rune)
    {
        var category = Rune.GetUnicodeCategory(rune);
        return category is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            || HasCaseWithoutBeingALetterOfOne(rune.Value);
    }

    // Other_Uppercase and Other_Lowercase that are not ignorable: ordinal marks, Roman numerals, enclosed letters.
    private static bool HasCaseWithoutBeingALetterOfOne(int value) => value is 0xAA or 0xBA
        or >= 0x2160 and <= 0x217F or >= 0x24B6 and <= 0x24E9
        or >= 0x1F130 and <= 0x1F149 or >= 0x1F150 and <= 0x1F169 or >= 0x1F170 and <= 0x1F189;
}
