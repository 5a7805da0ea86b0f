namespace InstructTune.Modeling.Tokenization;

/// <summary>How often each pair occurs, kept up to date as pairs become tokens.</summary>
internal sealed class PairCounts
{
    private readonly CountedWord[] _words;
    private readonly Dictionary<TokenPair, long> _counts = [];
    private readonly Dictionary<TokenPair, HashSet<int>> _wordsOfPair = [];

    // May hold outdated counts: an entry is checked when it comes up.
    private readonly PriorityQueue<(TokenPair Pair, long Count), (long, int, int)> _queue = new();

    public PairCounts(IEnumerable<CountedWord> words)
    {
        _words = [.. words];
        for (var i = 0; i < _words.Length; i++)
        {
            foreach (var pair in _words[i].Pairs())
            {
                Change(pair, i, _words[i].Count);
            }
        }

        foreach (var (pair, count) in _counts)
        {
            Offer(pair, count);
        }
    }

    /// <summary>The pair that occurs most; of equals the one with the lowest ids.</summary>
    public TokenPair? TakeMostFrequent(long leastCount)
    {
        while (_queue.TryDequeue(out var entry, out _))
        {
            var count = _counts.GetValueOrDefault(entry.Pair);
            if (count == entry.Count)
            {
                return count >= leastCount ? entry.Pair : null;
            }

            // Where the count grew, a better entry was taken before this one.
            if (count > 0 && count < entry.Count)
            {
                Offer(entry.Pair, count);
            }
        }

        return null;
    }

    public void Merge(TokenPair pair, int merged)
    {
        var grown = new HashSet<TokenPair>();
        foreach (var index in _wordsOfPair[pair].Order().ToList())
        {
            var word = _words[index];
            foreach (var old in word.Pairs())
            {
                Change(old, index, -word.Count);
            }

            Replace(word.Ids, pair, merged);
            foreach (var now in word.Pairs())
            {
                Change(now, index, word.Count);
                grown.Add(now);
            }
        }

        _counts.Remove(pair);
        _wordsOfPair.Remove(pair);
        foreach (var now in grown.Where(p => p.Left == merged || p.Right == merged))
        {
            Offer(now, _counts[now]);
        }
    }

    private static void Replace(List<int> ids, TokenPair pair, int merged)
    {
        var kept = 0;
        for (var i = 0; i < ids.Count; i++)
        {
            var found = i + 1 < ids.Count && ids[i] == pair.Left && ids[i + 1] == pair.Right;
            ids[kept++] = found ? merged : ids[i];
            i += found ? 1 : 0;
        }

        ids.RemoveRange(kept, ids.Count - kept);
    }

    private void Change(TokenPair pair, int word, long by)
    {
        _counts[pair] = _counts.GetValueOrDefault(pair) + by;
        if (!_wordsOfPair.TryGetValue(pair, out var indices))
        {
            _wordsOfPair[pair] = indices = [];
        }

        indices.Add(word);
    }

    private void Offer(TokenPair pair, long count) => _queue.Enqueue((pair, count), (-count, pair.Left, pair.Right));
}
