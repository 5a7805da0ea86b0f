using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>Parts of tokenizers in the style of SentencePiece: characters, byte fallback, merges by score.</summary>
internal static class SentencePieceParts
{
    private const char SpaceMark = '\u2581';

    /// <param name="definition">Checked, of the style SentencePiece.</param>
    /// <param name="legacy">Whether text after an added token gets a space in front too, as Hugging Face's older Llama tokenizers have it.</param>
    /// <param name="before">Rewritings that go before all others.</param>
    public static TokenizerParts Build(TokenizerDefinition definition, bool legacy, params IEnumerable<NormalizerStep> before)
    {
        if (definition.Scores.Count != definition.Tokens.Count)
        {
            throw new ModelFormatException(
                definition.File, "scores", $"must be as many as tokens ({definition.Tokens.Count}), not {definition.Scores.Count}");
        }

        var vocabulary = ReadVocabulary(definition);
        var unknown = definition.Tokens.Index().Where(t => DefinedTokenizer.KindOf(definition, t.Index) == TokenKind.Unknown).Select(t => t.Index);
        var hasBytes = definition.Kinds.Contains(TokenKind.Byte);
        var scheme = definition.AddsSpacePrefix ? "first" : "never";
        return new()
        {
            File = definition.File,
            AddedTokens = DefinedTokenizer.AddedTokens(definition),
            Normalizer = new TextNormalizer([.. before, .. Rewritings(definition, legacy)]),
            PreTokenizer = new PreTokenizer(legacy ? [] : [new MetaspaceStep(SpaceMark, scheme)], isByteLevel: false),
            Model = new BytePairModel(vocabulary, new BytePairRules
            {
                ByteFallback = hasBytes,
                FuseUnknown = true,
                UnknownId = unknown.FirstOrDefault(-1),
            }),
            PostProcessor = PostProcessor.Nothing,
            Decoder = new TokenDecoder(IsByteLevel: false, SpaceMark, definition.AddsSpacePrefix),
        };
    }

    private static IEnumerable<NormalizerStep> Rewritings(TokenizerDefinition definition, bool legacy)
    {
        if (definition.RemovesExtraSpaces)
        {
            yield return new CollapseSpacesStep();
        }

        if (legacy && definition.AddsSpacePrefix)
        {
            yield return new PrefixStep(SpaceMark.ToString());
        }

        if (legacy)
        {
            yield return new ReplacementStep(" ", SpaceMark.ToString());
        }
    }

    // Control tokens (and tokens that fill gaps) stay out of the vocabulary, so that no text spells them; bytes are in it under names that nothing merges into.
    private static Vocabulary ReadVocabulary(TokenizerDefinition definition)
    {
        var vocabulary = new Vocabulary(definition.Tokens.Count * 2);
        for (var id = 0; id < definition.Tokens.Count; id++)
        {
            if (DefinedTokenizer.KindOf(definition, id) is TokenKind.Normal or TokenKind.Byte)
            {
                vocabulary.Add(definition.Tokens[id], id);
            }
        }

        vocabulary.MergeBySpelling(Ranks(definition));
        return vocabulary;
    }

    // The higher the score, the lower the rank; equal scores share one, and then the leftmost pair goes first.
    private static int[] Ranks(TokenizerDefinition definition)
    {
        var ranks = new int[definition.Tokens.Count];
        Array.Fill(ranks, -1);
        var (rank, last) = (-1, float.NaN);
        foreach (var id in Enumerable.Range(0, ranks.Length)
            .Where(i => DefinedTokenizer.KindOf(definition, i) == TokenKind.Normal).OrderByDescending(i => definition.Scores[i]))
        {
            rank += definition.Scores[id] == last ? 0 : 1;
            (ranks[id], last) = (rank, definition.Scores[id]);
        }

        return ranks;
    }
}
