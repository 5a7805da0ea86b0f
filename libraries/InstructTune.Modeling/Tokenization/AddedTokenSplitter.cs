namespace InstructTune.Modeling.Tokenization;

/// <summary>A stretch of a text: an added token, or text for the model.</summary>
internal readonly record struct TextStretch(int Start, int Length, AddedToken? Token);

/// <summary>Cuts a text at its added tokens: leftmost first, among those the longest.</summary>
internal sealed class AddedTokenSplitter
{
    private readonly Node _root = new();

    public AddedTokenSplitter(IEnumerable<(string Pattern, AddedToken Token)> tokens)
    {
        foreach (var (pattern, token) in tokens)
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

            if (pattern.Length > 0)
            {
                node.Token ??= token;
            }
        }
    }

    public IEnumerable<TextStretch> Split(string text, bool parseSpecial)
    {
        var done = 0;
        for (var at = 0; at < text.Length;)
        {
            if (Longest(text, at, parseSpecial) is not { Token: { } token } match)
            {
                at++;
                continue;
            }

            var (start, end) = WithSpaces(text, match, done);
            if (start > done)
            {
                yield return new(done, start - done, null);
            }

            yield return new(start, end - start, token);
            done = at = end;
        }

        if (done < text.Length)
        {
            yield return new(done, text.Length - done, null);
        }
    }

    private TextStretch? Longest(string text, int at, bool parseSpecial)
    {
        TextStretch? best = null;
        var node = _root;
        for (var i = at; i < text.Length && node.Next.TryGetValue(text[i], out node); i++)
        {
            if (node.Token is { } token && (parseSpecial || !token.Special))
            {
                best = new(at, i + 1 - at, token);
            }
        }

        return best is { Token.SingleWord: true } word && (IsWord(text, at - 1) || IsWord(text, at + word.Length)) ? null : best;
    }

    private static (int Start, int End) WithSpaces(string text, TextStretch match, int floor)
    {
        var (start, end) = (match.Start, match.Start + match.Length);
        while (match.Token!.StripLeft && start > floor && char.IsWhiteSpace(text[start - 1]))
        {
            start--;
        }

        while (match.Token.StripRight && end < text.Length && char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        return (start, end);
    }

    private static bool IsWord(string text, int at) =>
        at >= 0 && at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '_');

    private sealed class Node
    {
        public Dictionary<char, Node> Next { get; } = [];

        public AddedToken? Token { get; set; }
    }
}
