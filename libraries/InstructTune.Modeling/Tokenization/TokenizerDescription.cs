using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The way back from parts to a <see cref="TokenizerDefinition"/>.</summary>
internal static class TokenizerDescription
{
    public static TokenizerDefinition Of(TokenizerParts parts, TokenTable table)
    {
        var byteLevel = parts.PreTokenizer.IsByteLevel;
        string[] tokens = [.. table.Spellings.Select((t, id) => t ?? $"[unused {id}]")];
        var merges = parts.Model.Vocabulary.Merges.All().OrderBy(m => m.Rank).ToList();
        return new()
        {
            File = parts.File,
            Style = byteLevel ? TokenizerStyle.ByteLevel : TokenizerStyle.SentencePiece,
            Tokens = tokens,
            Kinds = Kinds(parts, table, byteLevel),
            Merges = byteLevel ? [.. merges.Select(m => $"{tokens[m.Left]} {tokens[m.Right]}")] : [],
            Scores = byteLevel ? [] : Scores(tokens.Length, merges),
            Split = !byteLevel ? WordSplit.Gpt2 : parts.PreTokenizer.KnownSplit ?? throw new ModelFormatException(
                parts.File, "pre_tokenizer", $"cuts words as none of {string.Join(", ", Enum.GetNames<WordSplit>())} does, so there is no name for it"),
            IgnoreMerges = parts.Model.Rules.IgnoreMerges,
            AddsSpacePrefix = parts.Decoder.StripsFirstSpace,
        };
    }

    private static TokenKind[] Kinds(TokenizerParts parts, TokenTable table, bool byteLevel)
    {
        TokenKind[] kinds =
        [
            .. table.Spellings.Select(t => t is null ? TokenKind.Unused : !byteLevel && ByteToken.TryRead(t, out _) ? TokenKind.Byte : TokenKind.Normal),
        ];
        foreach (var token in parts.AddedTokens)
        {
            kinds[token.Id] = token.Special ? TokenKind.Control : TokenKind.UserDefined;
        }

        if (!byteLevel && parts.Model.Rules.UnknownId is >= 0 and var unknown)
        {
            kinds[unknown] = TokenKind.Unknown;
        }

        return kinds;
    }

    // The order of merging, as falling scores; a token of several merges has that of its first.
    private static float[] Scores(int count, List<(int Left, int Right, int Rank, int Id)> merges)
    {
        var scores = new float[count];
        foreach (var (_, _, rank, id) in Enumerable.Reverse(merges))
        {
            scores[id] = -1 - rank;
        }

        return scores;
    }
}
