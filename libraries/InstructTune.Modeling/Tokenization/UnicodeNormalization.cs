using System.Buffers;
using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary><see cref="string.Normalize()"/> for every text, also one with noncharacters or lone surrogates, on which it throws.</summary>
internal static class UnicodeNormalization
{
    private static readonly SearchValues<char> Delicate =
        SearchValues.Create([.. Enumerable.Range(0xD800, 0x800).Concat(Enumerable.Range(0xFDD0, 0x20)).Append(0xFFFE).Append(0xFFFF).Select(c => (char)c)]);

    /// <summary>False where ICU is missing: then normalizing silently does nothing.</summary>
    public static bool Works => string.Equals("e\u0301".Normalize(NormalizationForm.FormC), "\u00e9", StringComparison.Ordinal);

    /// <summary>Whether a look at the characters' blocks is enough to know that normalizing changes nothing.</summary>
    public static bool IsSurelyNormal(ReadOnlySpan<char> text, NormalizationForm form) =>
        form == NormalizationForm.FormC ? !text.ContainsAnyExceptInRange('\0', '\u02ff') : Ascii.IsValid(text);

    public static string Apply(string text, NormalizationForm form)
    {
        if (!text.AsSpan().ContainsAny(Delicate))
        {
            return text.Normalize(form);
        }

        var result = new StringBuilder(text.Length);
        var start = 0;
        for (var i = 0; i < text.Length;)
        {
            var valid = Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var width) == OperationStatus.Done;
            if (!valid || IsNoncharacter(rune))
            {
                result.Append(text[start..i].Normalize(form)).Append(text, i, width);
                start = i + width;
            }

            i += width;
        }

        return result.Append(text[start..].Normalize(form)).ToString();
    }

    private static bool IsNoncharacter(Rune rune) => (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF;
}
