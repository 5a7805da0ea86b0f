using System.Text;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>
/// Text to token ids and back, exactly as Hugging Face does it for the byte-pair tokenizers of the LLaMA family: byte-level ones and
/// those in the style of SentencePiece. May be used by many threads.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly TokenTable _table;
    private readonly AddedTokenSplitter _rawTokens;
    private readonly AddedTokenSplitter _normalizedTokens;
    private readonly int[] _before;
    private readonly int[] _after;

    private Tokenizer(TokenizerParts parts, TokenizerSettings settings)
    {
        _parts = parts;
        _table = new TokenTable(parts);
        _rawTokens = new(parts.AddedTokens.Where(t => !t.Normalized).Select(t => (t.Content, t)));
        _normalizedTokens = new(parts.AddedTokens.Where(t => t.Normalized).Select(t => (parts.Normalizer.Apply(t.Content), t)));

        var special = SpecialIds.Resolve(parts, settings, _table);
        (_before, _after) = ([.. special.Before], [.. special.After]);
        BeginOfTextId = special.BeginOfText;
        EndOfTextIds = special.EndOfText;
        PaddingId = special.Padding;
        ChatTemplate = settings.ChatTemplate;
        NamedTokens = settings.NamedTokens;
        ControlTokens = [.. parts.AddedTokens.Where(t => t.Special && t.Content.Length > 0).Select(t => t.Content).Distinct()];
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

    /// <summary>The spellings that name a token's part, such as `bos_token`, as chat templates know them.</summary>
    public IReadOnlyDictionary<string, string> NamedTokens { get; }

    /// <summary>The spellings of all control tokens.</summary>
    public IReadOnlyList<string> ControlTokens { get; }

    internal bool StripsFirstSpace => _parts.Decoder.StripsFirstSpace;

    /// <summary>Reads the tokenizer of a model folder: tokenizer.json, or else tokenizer.model, or else a rank file.</summary>
    /// <exception cref="ModelFormatException">A file is broken or asks for something that is not supported.</exception>
    public static Tokenizer Load(string folder)
    {
        var settings = TokenizerSettings.Read(folder);
        var (parts, completed) = TokenizerFolder.Read(folder, settings);
        return new(parts, completed);
    }

    /// <summary>Makes a tokenizer from a vocabulary in memory.</summary>
    /// <exception cref="ModelFormatException">The definition contradicts itself or asks for something that is not supported.</exception>
    public static Tokenizer Create(TokenizerDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var (parts, settings) = DefinedTokenizer.Build(definition);
        return new(parts, settings);
    }

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="addSpecialTokens">Whether the model's own tokens go before and after it.</param>
    /// <param name="parseSpecial">Whether a special token that the text spells out becomes that token. Never for text of users.</param>
    public int[] Encode(ReadOnlySpan<char> text, bool addSpecialTokens = false, bool parseSpecial = false)
    {
        var scratch = EncodeScratch.Take();
        scratch.Ids.Add(addSpecialTokens ? _before : []);
        AppendRaw(text, parseSpecial, continues: false, scratch);
        scratch.Ids.Add(addSpecialTokens ? _after : []);
        int[] ids = [.. scratch.Ids.Span];
        scratch.Return();
        return ids;
    }

    /// <summary>The ids of a text that goes on after other text: without the space that some models put in front of every text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="parseSpecial">Whether a special token that the text spells out becomes that token. Never for text of users.</param>
    public int[] EncodeContinuation(ReadOnlySpan<char> text, bool parseSpecial = false)
    {
        var scratch = EncodeScratch.Take();
        AppendRaw(text, parseSpecial, continues: true, scratch);
        int[] ids = [.. scratch.Ids.Span];
        scratch.Return();
        return ids;
    }

    /// <summary>The text of a sequence of ids.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        var scratch = EncodeScratch.Take();
        var bytes = scratch.Bytes;
        bytes.Clear();
        foreach (var id in ids)
        {
            if (!skipSpecial || !IsSpecial(id))
            {
                bytes.Add(TokenBytes(id));
            }
        }

        var stripped = StripsFirstSpace && bytes.Count > 0 && bytes.Span[0] == (byte)' ' ? 1 : 0;
        var text = Encoding.UTF8.GetString(bytes.Span[stripped..]);
        scratch.Return();
        return text;
    }

    /// <summary>The bytes that a token adds to the text.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => _table.Bytes(Checked(id));

    /// <summary>The id of a token by its spelling in the vocabulary, if there is one.</summary>
    public int? FindToken(string token) => SpecialIds.Find(_parts, token);

    /// <summary>Whether a token is one of the model's control tokens.</summary>
    public bool IsSpecial(int id) => _table.IsSpecial(Checked(id));

    /// <summary>The tokenizer as tokens, kinds and merges or scores, such as a GGUF file holds.</summary>
    public TokenizerDefinition ToDefinition() => TokenizerDescription.Of(_parts, _table) with
    {
        BeginOfTextId = BeginOfTextId,
        EndOfTextId = EndOfTextIds.Count > 0 ? EndOfTextIds[0] : null,
        PaddingId = PaddingId,
        AddsBeginOfText = _before.Length > 0,
        AddsEndOfText = _after.Length > 0,
        ChatTemplate = ChatTemplate,
    };

    /// <summary>The text of one token where it is whole characters; kept, so that a stream need not make it again.</summary>
    internal string? WholeText(int id) => _table.WholeText(Checked(id));

    private void AppendRaw(ReadOnlySpan<char> text, bool parseSpecial, bool continues, EncodeScratch scratch)
    {
        var (from, done) = (0, 0);
        while (_rawTokens.TryNext(text, ref from, done, parseSpecial, out var found))
        {
            if (found.Start > done)
            {
                AppendNormalized(text[done..found.Start], parseSpecial, new(continues && done == 0, done == 0), scratch);
            }

            scratch.Ids.Add(found.Token.Id);
            done = found.End;
        }

        AppendNormalized(text[done..], parseSpecial, new(continues && done == 0, done == 0), scratch);
    }

    private void AppendNormalized(ReadOnlySpan<char> raw, bool parseSpecial, PiecePlace place, EncodeScratch scratch)
    {
        var text = _parts.Normalizer.Apply(raw, place.Continues, scratch);
        var (from, done) = (0, 0);
        while (_normalizedTokens.TryNext(text, ref from, done, parseSpecial, out var found))
        {
            if (found.Start > done)
            {
                _parts.PreTokenizer.Run(text[done..found.Start], place.At(done), _parts.Model, scratch);
            }

            scratch.Ids.Add(found.Token.Id);
            done = found.End;
        }

        _parts.PreTokenizer.Run(text[done..], place.At(done), _parts.Model, scratch);
    }

    private int Checked(int id) =>
        (uint)id < (uint)_table.Count
            ? id
            : throw new ArgumentOutOfRangeException(nameof(id), id, $"A token id must be from 0 to {_table.Count - 1}.");
}
