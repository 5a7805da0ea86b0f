namespace InstructTune.Modeling.Tokenization;

/// <summary>The tokens of a BPE model and how they merge. Not changed once it is filled.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    public Vocabulary(int expectedMerges)
    {
        Lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        Merges = new MergeTable(expectedMerges);
    }

    public MergeTable Merges { get; }

    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Lookup { get; }

    public IReadOnlyDictionary<string, int> Ids => _ids;

    public int Find(string token) => _ids.GetValueOrDefault(token, -1);

    /// <summary>Of two entries of one spelling the later counts.</summary>
    public void Add(string token, int id) => _ids[token] = id;

    /// <summary>
    /// Lets every two tokens merge that spell a third: how SentencePiece and tiktoken define merging. Lower ranks go first; tokens may share one.
    /// </summary>
    /// <param name="ranks">Of each id; negative for tokens that nothing merges into.</param>
    public void MergeBySpelling(ReadOnlySpan<int> ranks)
    {
        foreach (var (token, id) in _ids)
        {
            if (ranks[id] < 0)
            {
                continue;
            }

            var spelling = token.AsSpan();
            for (var cut = 1; cut < spelling.Length; cut++)
            {
                if (Lookup.TryGetValue(spelling[..cut], out var left) && Lookup.TryGetValue(spelling[cut..], out var right)
                    && !char.IsLowSurrogate(spelling[cut]))
                {
                    Merges.Set(left, right, ranks[id], id);
                }
            }
        }
    }
}
