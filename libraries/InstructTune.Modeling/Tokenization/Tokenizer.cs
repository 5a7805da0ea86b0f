using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>
/// Text to token ids and back, exactly as Hugging Face does it for the byte-pair tokenizers of the LLaMA family: byte-level ones and
/// those in the style of SentencePiece. May be used by many threads.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerFile _file;
    private readonly TokenTable _table;
    private readonly AddedTokenSplitter _rawTokens;
    private readonly AddedTokenSplitter _normalizedTokens;
    private readonly IReadOnlyList<int> _before;
    private readonly IReadOnlyList<int> _after;

    private Tokenizer(TokenizerFile file, TokenizerSettings settings)
    {
        _file = file;
        _table = new TokenTable(file);
        _rawTokens = new(file.AddedTokens.Where(t => !t.Normalized).Select(t => (t.Content, t)));
        _normalizedTokens = new(file.AddedTokens.Where(t => t.Normalized).Select(t => (file.Normalizer.Apply(t.Content), t)));

        var special = SpecialIds.Resolve(file, settings, _table);
        (_before, _after) = (special.Before, special.After);
        BeginOfTextId = special.BeginOfText;
        EndOfTextIds = special.EndOfText;
        PaddingId = special.Padding;
        ChatTemplate = settings.ChatTemplate;
    }

    /// <summary>One more than the largest id.</summary>
    public int VocabularySize => _table.Count;

    /// <summary>The token that every text begins with; null where the model has none.</summary>
    public int? BeginOfTextId { get; }

    /// <summary>The tokens that end a text. Training appends the first.</summary>
    public IReadOnlyList<int> EndOfTextIds { get; }

    /// <summary>The padding token, if the folder names one.</summary>
    public int? PaddingId { get; }

    /// <summary>The chat template of the folder, as text.</summary>
    public string? ChatTemplate { get; }

    internal bool StripsFirstSpace => _file.Decoder.StripsFirstSpace;

    /// <summary>Reads the tokenizer of a model folder.</summary>
    /// <exception cref="ModelFormatException">A file is broken or asks for something that is not supported.</exception>
    public static Tokenizer Load(string folder) => new(TokenizerFile.Read(folder), TokenizerSettings.Read(folder));

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="addSpecialTokens">Whether the model's own tokens go before and after it.</param>
    /// <param name="parseSpecial">Whether a special token that the text spells out becomes that token. Never for text of users.</param>
    public int[] Encode(string text, bool addSpecialTokens = false, bool parseSpecial = false)
    {
        var ids = new List<int>((text.Length / 3) + 4);
        ids.AddRange(addSpecialTokens ? _before : []);
        Append(text, parseSpecial, continues: false, ids);
        ids.AddRange(addSpecialTokens ? _after : []);
        return [.. ids];
    }

    /// <summary>The ids of a text that goes on after other text: without the space that some models put in front of every text.</summary>
    public int[] EncodeContinuation(string text)
    {
        var ids = new List<int>((text.Length / 3) + 4);
        Append(text, parseSpecial: false, continues: true, ids);
        return [.. ids];
    }

    /// <summary>The text of a sequence of ids.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        var stream = new TextStream(this, skipSpecial);
        var text = new System.Text.StringBuilder();
        foreach (var id in ids)
        {
            text.Append(stream.Append(id));
        }

        return text.Append(stream.Flush()).ToString();
    }

    /// <summary>The bytes that a token adds to the text.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => _table.Bytes(Checked(id));

    /// <summary>The id of a token by its spelling in the vocabulary, if there is one.</summary>
    public int? FindToken(string token) => SpecialIds.Find(_file, token);

    /// <summary>Whether a token is one of the model's control tokens.</summary>
    public bool IsSpecial(int id) => _table.IsSpecial(Checked(id));

    private void Append(string text, bool parseSpecial, bool continues, List<int> ids)
    {
        foreach (var stretch in _rawTokens.Split(text, parseSpecial))
        {
            if (stretch.Token is { } token)
            {
                ids.Add(token.Id);
                continue;
            }

            var atStart = stretch.Start == 0;
            var normalized = _file.Normalizer.Apply(text.Substring(stretch.Start, stretch.Length), continues && atStart);
            AppendNormalized(normalized, parseSpecial, continues && atStart, atStart, ids);
        }
    }

    private void AppendNormalized(string text, bool parseSpecial, bool continues, bool first, List<int> ids)
    {
        foreach (var stretch in _normalizedTokens.Split(text, parseSpecial))
        {
            if (stretch.Token is { } token)
            {
                ids.Add(token.Id);
                continue;
            }

            var atStart = stretch.Start == 0;
            var piece = new TextPiece(text, stretch.Start, stretch.Length);
            foreach (var word in _file.PreTokenizer.Split(piece, continues && atStart, first && atStart))
            {
                _file.Model.Encode(word, ids);
            }
        }
    }

    private int Checked(int id) =>
        id >= 0 && id < _table.Count
            ? id
            : throw new ArgumentOutOfRangeException(nameof(id), id, $"A token id must be from 0 to {_table.Count - 1}.");
}
