using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>What split patterns tell apart: \p{L}, \p{N}, \s, line ends among \s, and the rest.</summary>
internal static class CharacterClass
{
    public const byte Other = 0, Letter = 1, Number = 2, Space = 3, LineEnd = 4;

    private static readonly byte[] Table = [.. Enumerable.Range(0, 0x10000).Select(c => Classify(c))];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSpace(byte kind) => kind >= Space;

    /// <summary>The class of the code point at a place, and how many units it takes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte At(ReadOnlySpan<char> text, int at, out int width)
    {
        var unit = text[at];
        width = 1;
        return char.IsSurrogate(unit) ? OfPair(text, at, out width) : Table[unit];
    }

    /// <summary>Where the run of one class ends that goes through a place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int EndOfRun(ReadOnlySpan<char> text, int at, byte kind)
    {
        var table = Table;
        while (at < text.Length)
        {
            var unit = text[at];
            if (!char.IsSurrogate(unit))
            {
                if (table[unit] != kind)
                {
                    break;
                }

                at++;
            }
            else if (OfPair(text, at, out var width) == kind)
            {
                at += width;
            }
            else
            {
                break;
            }
        }

        return at;
    }

    private static byte OfPair(ReadOnlySpan<char> text, int at, out int width)
    {
        // A lone surrogate is neither letter nor number.
        var valid = Rune.DecodeFromUtf16(text[at..], out var rune, out width) == System.Buffers.OperationStatus.Done;
        return valid ? Classify(rune.Value) : Other;
    }

    private static byte Classify(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Number,
        UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => Space,
        _ => codePoint is '\r' or '\n' ? LineEnd : codePoint is '\t' or '\v' or '\f' or 0x85 ? Space : Other,
    };
}
