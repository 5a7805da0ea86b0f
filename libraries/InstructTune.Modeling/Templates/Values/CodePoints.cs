using System.Text;

namespace InstructTune.Modeling.Templates;

/// <summary>Python counts text in code points, .NET in UTF-16: the two differ only where a text has surrogates.</summary>
internal static class CodePoints
{
    public static bool AreUnits(string text) => !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');

    public static int Count(ReadOnlySpan<char> text)
    {
        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i]))
            {
                count--;
                i++;
            }
        }

        return count;
    }

    /// <summary>Each code point as a text; a surrogate alone is one.</summary>
    public static IEnumerable<string> Split(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                yield return text.Substring(i++, 2);
            }
            else
            {
                yield return text[i].ToString();
            }
        }
    }

    /// <summary>Where code point number <paramref name="index"/> begins, in UTF-16.</summary>
    public static int Offset(string text, int index)
    {
        if (AreUnits(text))
        {
            return index;
        }

        var at = 0;
        for (; index > 0 && at < text.Length; index--)
        {
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        }

        return at;
    }

    public static int Compare(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        var (a, b) = (left[common], right[common]);
        return char.IsSurrogate(a) != char.IsSurrogate(b) ? (char.IsSurrogate(a) ? 1 : -1) : a.CompareTo(b);
    }

    public static string Reverse(string text)
    {
        if (!AreUnits(text))
        {
            return string.Concat(Split(text).Reverse());
        }

        var characters = text.ToCharArray();
        Array.Reverse(characters);
        return new string(characters);
    }

    public static Rune First(string text) => Rune.DecodeFromUtf16(text, out var rune, out _) == System.Buffers.OperationStatus.Done ? rune : Rune.ReplacementChar;
}
