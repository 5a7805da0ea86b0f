using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace InstructTune.Modeling.Tokenization;

/// <summary>A pattern of a tokenizer.json over code points. .NET matches UTF-16 units, so `\p{L}` alone would miss letters above U+FFFF.</summary>
internal sealed class UnicodeRegex
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // For each Unicode category one character of the basic plane that stands for every character above it.
    private static readonly char[] Representative = MakeRepresentatives();

    private readonly Regex _regex;

    public UnicodeRegex(string pattern)
    {
        // Oniguruma folds the long s into s, .NET does not.
        var folded = pattern.Replace("(?i:'s|", "(?i:'[s\u017f]|", StringComparison.Ordinal);
        _regex = new Regex(folded, RegexOptions.Compiled | RegexOptions.CultureInvariant, Patience);
    }

    /// <summary>Cuts the text into matches and what lies between them, as lengths that add up to the whole.</summary>
    public void Split(ReadOnlySpan<char> text, List<int> lengths)
    {
        if (!text.ContainsAnyInRange('\ud800', '\udfff'))
        {
            SplitUnits(text, lengths, []);
            return;
        }

        var projected = new char[text.Length];
        var positions = new int[text.Length + 1];
        var count = 0;
        for (var i = 0; i < text.Length; count++)
        {
            positions[count] = i;
            Rune.DecodeFromUtf16(text[i..], out var rune, out var width);
            projected[count] = width == 2 ? Representative[(int)Rune.GetUnicodeCategory(rune)] : text[i];
            i += width;
        }

        positions[count] = text.Length;
        SplitUnits(projected.AsSpan(0, count), lengths, positions);
    }

    private void SplitUnits(ReadOnlySpan<char> text, List<int> lengths, int[] positions)
    {
        var done = 0;
        foreach (var match in _regex.EnumerateMatches(text))
        {
            Add(match.Index);
            Add(match.Index + match.Length);
        }

        Add(text.Length);

        void Add(int end)
        {
            if (end > done)
            {
                lengths.Add(positions.Length == 0 ? end - done : positions[end] - positions[done]);
                done = end;
            }
        }
    }

    private static char[] MakeRepresentatives()
    {
        var representatives = new char[30];
        for (var c = '\u0100'; c < '\uffff'; c++)
        {
            var category = (int)CharUnicodeInfo.GetUnicodeCategory(c);
            if (representatives[category] == 0 && !char.IsSurrogate(c))
            {
                representatives[category] = c;
            }
        }

        return representatives;
    }
}
