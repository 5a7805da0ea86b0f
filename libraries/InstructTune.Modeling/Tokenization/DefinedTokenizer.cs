using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>A <see cref="TokenizerDefinition"/> as parts.</summary>
internal static class DefinedTokenizer
{
    public const int MaxTokens = 4_000_000;

    private const int MaxSpelling = 4096;

    public static (TokenizerParts Parts, TokenizerSettings Settings) Build(TokenizerDefinition definition)
    {
        Check(definition);
        var parts = definition.Style == TokenizerStyle.ByteLevel ? ByteLevel(definition) : SentencePieceParts.Build(definition, legacy: true);
        return (parts, new TokenizerSettings
        {
            BeginOfText = Spelling(definition, definition.BeginOfTextId, "begin-of-text token"),
            EndOfText = Spelling(definition, definition.EndOfTextId, "end-of-text token"),
            Padding = Spelling(definition, definition.PaddingId, "padding token"),
            AddsBeginOfText = definition.AddsBeginOfText ?? (definition.Style == TokenizerStyle.SentencePiece && definition.BeginOfTextId is not null),
            AddsEndOfText = definition.AddsEndOfText,
            ChatTemplate = definition.ChatTemplate,
            NamedTokens = Named(definition),
        });
    }

    private static Dictionary<string, string> Named(TokenizerDefinition definition)
    {
        (string Name, int? Id)[] parts =
            [("bos_token", definition.BeginOfTextId), ("eos_token", definition.EndOfTextId), ("pad_token", definition.PaddingId)];
        return parts.Where(part => part.Id is not null)
            .ToDictionary(part => part.Name, part => Spelling(definition, part.Id, part.Name)!, StringComparer.Ordinal);
    }

    public static TokenKind KindOf(TokenizerDefinition definition, int id) => definition.Kinds.Count == 0 ? TokenKind.Normal : definition.Kinds[id];

    /// <summary>Tokens that are found before the model runs.</summary>
    public static List<AddedToken> AddedTokens(TokenizerDefinition definition) =>
    [
        .. definition.Tokens.Index()
            .Where(t => KindOf(definition, t.Index) is TokenKind.Control or TokenKind.Unknown or TokenKind.UserDefined)
            .Select(t => new AddedToken(t.Index, t.Item) { Special = KindOf(definition, t.Index) != TokenKind.UserDefined }),
    ];

    public static void Check(TokenizerDefinition definition)
    {
        var count = definition.Tokens.Count;
        Demand(count is > 0 and <= MaxTokens, "tokens", $"must be 1 to {MaxTokens}, not {count}");
        Demand(definition.Kinds.Count == 0 || definition.Kinds.Count == count, "token kinds", $"must be as many as tokens ({count}), not {definition.Kinds.Count}");
        for (var id = 0; id < count; id++)
        {
            Demand(definition.Tokens[id].Length <= MaxSpelling, $"token {id}", $"must have at most {MaxSpelling} characters");
            Demand(Enum.IsDefined(KindOf(definition, id)), $"kind of token {id}", $"is {KindOf(definition, id)}, which is not known");
        }

        void Demand(bool holds, string item, string problem)
        {
            if (!holds)
            {
                throw new ModelFormatException(definition.File, item, problem);
            }
        }
    }

    private static TokenizerParts ByteLevel(TokenizerDefinition definition)
    {
        var vocabulary = new Vocabulary(definition.Merges.Count);
        foreach (var (id, token) in definition.Tokens.Index())
        {
            vocabulary.Add(token, id);
        }

        foreach (var (rank, merge) in definition.Merges.Index())
        {
            var space = merge.IndexOf(' ', StringComparison.Ordinal);
            var (left, right) = space > 0 ? (vocabulary.Find(merge[..space]), vocabulary.Find(merge[(space + 1)..])) : (-1, -1);
            var whole = space > 0 ? vocabulary.Find(merge.Remove(space, 1)) : -1;
            if (left < 0 || right < 0 || whole < 0)
            {
                throw new ModelFormatException(definition.File, $"merge {rank}", $"`{merge}` must be two tokens with a space between them that make a third");
            }

            vocabulary.Merges.Set(left, right, rank, whole);
        }

        var added = AddedTokens(definition);
        return ByteLevelParts.Build(definition.File, vocabulary, definition.Split, definition.IgnoreMerges, added);
    }

    private static string? Spelling(TokenizerDefinition definition, int? id, string what) =>
        id is not { } known ? null
        : known >= 0 && known < definition.Tokens.Count ? definition.Tokens[known]
        : throw new ModelFormatException(definition.File, what, $"is {known}, which is not in the vocabulary of {definition.Tokens.Count} tokens");
}
