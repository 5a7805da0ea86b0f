using System.Globalization;

namespace InstructTune.Modeling.Templates;

internal static class Printable
{
    /// <summary>Whether Python's `repr` leaves a code point as it is.</summary>
    public static bool Is(string codePoint) => codePoint == " " || CharUnicodeInfo.GetUnicodeCategory(codePoint, 0) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
