using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The BPE `model` of a tokenizer.json: words in, ids out.</summary>
internal sealed class BytePairModel
{
    private const int CacheWords = 50_000;
    private const int CachedWordLength = 64;
    private const char SpaceMark = '\u2581';

    private readonly ConcurrentDictionary<string, int[]> _cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cached;
    private readonly IWordSymbols _symbols;
    private readonly bool _ignoreMerges;
    private readonly HashSet<int> _unspeakable;
    private readonly bool _splitBeforeSpaceMarks;
    private int _cachedCount;

    private BytePairModel(JsonItem model, Vocabulary vocabulary, bool byteLevel, HashSet<int> unspeakable)
    {
        Vocabulary = vocabulary;
        _unspeakable = unspeakable;
        _cached = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
        _ignoreMerges = model.Flag("ignore_merges");
        _symbols = byteLevel ? new ByteSymbols(model, vocabulary) : new CharacterSymbols(model, vocabulary);
        _splitBeforeSpaceMarks = !byteLevel && !_ignoreMerges && !MergesCrossSpaceMarks(vocabulary);
    }

    public Vocabulary Vocabulary { get; }

    /// <param name="model">The element.</param>
    /// <param name="byteLevel">Whether the vocabulary is written in the byte alphabet.</param>
    /// <param name="specialIds">Ids that ordinary text never gives, even where the vocabulary holds their spelling.</param>
    public static BytePairModel Read(JsonItem model, bool byteLevel, IEnumerable<int> specialIds)
    {
        if (model.Type != "BPE")
        {
            throw model.Unsupported($"the model `{model.Type}`");
        }

        foreach (var key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            var item = model.Optional(key);
            if (!item.IsNull && item.Text().Length > 0)
            {
                throw item.Unsupported($"`{item.Text()}`");
            }
        }

        var dropout = model.Optional("dropout");
        if (!dropout.IsNull && dropout.Element.GetRawText() is not ("0" or "0.0"))
        {
            throw dropout.Unsupported("dropout");
        }

        return new BytePairModel(model, Vocabulary.Read(model), byteLevel, [.. specialIds]);
    }

    public void Encode(TextPiece piece, List<int> output)
    {
        var text = piece.Span;
        var start = 0;
        for (var i = 1; _splitBeforeSpaceMarks && i < text.Length; i++)
        {
            if (text[i] == SpaceMark && text[i - 1] != SpaceMark)
            {
                EncodeWord(text[start..i], output);
                start = i;
            }
        }

        EncodeWord(text[start..], output);
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> output)
    {
        if (word.Length > CachedWordLength)
        {
            EncodeAfresh(word, output);
        }
        else if (_cached.TryGetValue(word, out var ids))
        {
            output.AddRange(ids);
        }
        else
        {
            var start = output.Count;
            EncodeAfresh(word, output);
            if (Volatile.Read(ref _cachedCount) < CacheWords && _cache.TryAdd(word.ToString(), [.. output[start..]]))
            {
                Interlocked.Increment(ref _cachedCount);
            }
        }
    }

    private void EncodeAfresh(ReadOnlySpan<char> word, List<int> output)
    {
        if (_ignoreMerges && _symbols.FindWhole(word) is >= 0 and var whole && !_unspeakable.Contains(whole))
        {
            output.Add(whole);
            return;
        }

        var ids = new List<int>(word.Length + 8);
        _symbols.Add(word, ids);
        PairMerger.Merge(Vocabulary, CollectionsMarshal.AsSpan(ids), output);
    }

    // Where no token holds a space mark after another character, words can be merged apart, and cached.
    private static bool MergesCrossSpaceMarks(Vocabulary vocabulary)
    {
        var merged = vocabulary.MergedIds().ToHashSet();
        return vocabulary.Ids
            .Where(t => merged.Contains(t.Value))
            .Any(t => t.Key.AsSpan().TrimStart(SpaceMark).Contains(SpaceMark));
    }
}
