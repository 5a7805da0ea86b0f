namespace InstructTune.Modeling.Tokenization;

/// <summary>What a BPE model does besides merging.</summary>
internal sealed record BytePairRules
{
    /// <summary>Whether the vocabulary is written in the byte alphabet.</summary>
    public bool ByteLevel { get; init; }

    /// <summary>A word that is a token as a whole is not merged together.</summary>
    public bool IgnoreMerges { get; init; }

    public bool ByteFallback { get; init; }

    public bool FuseUnknown { get; init; }

    /// <summary>Or -1.</summary>
    public int UnknownId { get; init; } = -1;

    /// <summary>Ids that ordinary text never gives, even where the vocabulary holds their spelling.</summary>
    public IReadOnlySet<int> Unspeakable { get; init; } = new HashSet<int>();
}

/// <summary>A BPE model: words in, ids out.</summary>
internal sealed class BytePairModel
{
    private const char SpaceMark = '\u2581';

    private readonly WordCache _cache = new();
    private readonly IWordSymbols _symbols;
    private readonly bool _splitBeforeSpaceMarks;

    public BytePairModel(Vocabulary vocabulary, BytePairRules rules)
    {
        Vocabulary = vocabulary;
        Rules = rules;
        _symbols = rules.ByteLevel ? new ByteSymbols(vocabulary, rules.UnknownId) : new CharacterSymbols(vocabulary, rules);
        _splitBeforeSpaceMarks = !rules.ByteLevel && !rules.IgnoreMerges && !MergesCrossSpaceMarks(vocabulary);
    }

    public Vocabulary Vocabulary { get; }

    public BytePairRules Rules { get; }

    public void Encode(ReadOnlySpan<char> text, EncodeScratch scratch)
    {
        if (_splitBeforeSpaceMarks)
        {
            for (var i = 1; i < text.Length; i++)
            {
                if (text[i] == SpaceMark && text[i - 1] != SpaceMark)
                {
                    EncodeWord(text[..i], scratch);
                    text = text[i..];
                    i = 0;
                }
            }
        }

        EncodeWord(text, scratch);
    }

    private void EncodeWord(ReadOnlySpan<char> word, EncodeScratch scratch)
    {
        if (word.Length > WordCache.LongestWord)
        {
            EncodeAfresh(word, scratch);
            return;
        }

        var hash = WordCache.HashOf(word);
        if (_cache.TryFind(word, hash, out var ids))
        {
            scratch.Ids.Add(ids);
            return;
        }

        var start = scratch.Ids.Count;
        EncodeAfresh(word, scratch);
        _cache.Put(word, hash, scratch.Ids.Span[start..]);
    }

    private void EncodeAfresh(ReadOnlySpan<char> word, EncodeScratch scratch)
    {
        if (Rules.IgnoreMerges && _symbols.FindWhole(word, scratch) is >= 0 and var whole && !Rules.Unspeakable.Contains(whole))
        {
            scratch.Ids.Add(whole);
            return;
        }

        scratch.Merging.Symbols.Clear();
        _symbols.Add(word, scratch);
        PairMerger.Merge(Vocabulary.Merges, scratch.Merging, scratch.Ids);
    }

    // Where no token holds a space mark after another character, words can be merged apart, and cached.
    private static bool MergesCrossSpaceMarks(Vocabulary vocabulary)
    {
        var merged = vocabulary.Merges.All().Select(m => m.Id).ToHashSet();
        return vocabulary.Ids
            .Where(t => merged.Contains(t.Value))
            .Any(t => t.Key.AsSpan().TrimStart(SpaceMark).Contains(SpaceMark));
    }
}
