using System.Globalization;

namespace InstructTune.Modeling.Templates;

/// <summary>`isdigit` and its relatives.</summary>
internal static class TextKinds
{
    public static bool All(string text, CallArguments arguments, Func<string, bool> isKind)
    {
        arguments.Bind("a test of characters", 0);
        return text.Length > 0 && CodePoints.Split(text).All(isKind);
    }

    public static bool IsDecimal(string part) => CharUnicodeInfo.GetDecimalDigitValue(part, 0) >= 0;

    public static bool IsDigit(string part) => CharUnicodeInfo.GetDigitValue(part, 0) >= 0;

    public static bool IsNumeric(string part) => CharUnicodeInfo.GetNumericValue(part, 0) >= -0.5;

    public static bool IsAlpha(string part) => CharUnicodeInfo.GetUnicodeCategory(part, 0) is <= UnicodeCategory.OtherLetter;

    public static bool IsUpper(string text) => Cased(text, UnicodeCategory.UppercaseLetter);

    public static bool IsLower(string text) => Cased(text, UnicodeCategory.LowercaseLetter);

    public static bool IsIdentifier(string text) => text.Length > 0 && !char.IsAsciiDigit(text[0])
        && CodePoints.Split(text).All(part => part == "_" || IsAlpha(part) || IsDecimal(part));

    private static bool Cased(string text, UnicodeCategory wanted)
    {
        var found = false;
        foreach (var part in CodePoints.Split(text))
        {
            var category = CharUnicodeInfo.GetUnicodeCategory(part, 0);
            if (category is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter)
            {
                if (category != wanted)
                {
                    return false;
                }

                found = true;
            }
        }

        return found;
    }
}
