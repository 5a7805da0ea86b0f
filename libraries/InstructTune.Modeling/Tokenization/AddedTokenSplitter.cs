using System.Buffers;
using System.Globalization;
using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>An added token that was found, with the spaces that it swallows.</summary>
internal readonly record struct FoundToken(AddedToken Token, int Start, int End);

/// <summary>
/// Finds the added tokens of a text: leftmost first, among those the longest; a match that its flags forbid is passed over as a whole, as in Hugging Face.
/// </summary>
internal sealed class AddedTokenSplitter
{
    private readonly Node _root = new();
    private readonly SearchValues<string> _patterns;
    private readonly bool _allSpecial;

    public AddedTokenSplitter(IEnumerable<(string Pattern, AddedToken Token)> tokens)
    {
        (string Pattern, AddedToken Token)[] all = [.. tokens.Where(t => t.Pattern.Length > 0)];
        foreach (var (pattern, token) in all)
        {
            var node = _root;
            foreach (var character in pattern)
            {
                if (!node.Next.TryGetValue(character, out var next))
                {
                    node.Next[character] = next = new Node();
                }

                node = next;
            }

            node.Token ??= token;
        }

        _patterns = SearchValues.Create([.. all.Select(t => t.Pattern)], StringComparison.Ordinal);
        _allSpecial = all.All(t => t.Token.Special);
    }

    /// <summary>The next token in a text.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="from">Where to search; moved behind what was found.</param>
    /// <param name="floor">Where the last token ended, whose spaces no other may take.</param>
    /// <param name="parseSpecial">Whether special tokens count.</param>
    /// <param name="found">The token.</param>
    public bool TryNext(ReadOnlySpan<char> text, ref int from, int floor, bool parseSpecial, out FoundToken found)
    {
        found = default;
        if (_allSpecial && !parseSpecial)
        {
            return false;
        }

        while (from < text.Length && text[from..].IndexOfAny(_patterns) is >= 0 and var skipped)
        {
            var start = from + skipped;
            var (token, length) = Longest(text[start..]);
            from = start + length;
            if ((token.Special && !parseSpecial) || (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[from..]))))
            {
                continue;
            }

            found = WithSpaces(text, token, start, from, floor);
            return true;
        }

        return false;
    }

    private (AddedToken Token, int Length) Longest(ReadOnlySpan<char> text)
    {
        (AddedToken? Token, int Length) best = default;
        var node = _root;
        for (var i = 0; i < text.Length && node.Next.TryGetValue(text[i], out node); i++)
        {
            best = node.Token is { } token ? (token, i + 1) : best;
        }

        return (best.Token!, best.Length);
    }

    private static FoundToken WithSpaces(ReadOnlySpan<char> text, AddedToken token, int start, int end, int floor)
    {
        while (token.StripLeft && start > floor && char.IsWhiteSpace(text[start - 1]))
        {
            start--;
        }

        while (token.StripRight && end < text.Length && char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        return new(token, start, end);
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    // Unicode's word characters: besides letters, marks, digits and connectors the joiners, and the letters in circles and squares, which are symbols by
    // category and alphabetic all the same.
    private static bool IsWord(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
        || rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    private sealed class Node
    {
        public Dictionary<char, Node> Next { get; } = [];

        public AddedToken? Token { get; set; }
    }
}
