namespace InstructTune.Modeling.Tokenization;

/// <summary>Learns a small byte-level BPE vocabulary from texts: the most frequent pair becomes a token, again and again. Equal texts give equal vocabularies.</summary>
public static class BytePairTrainer
{
    // A pair that occurs once says nothing about other texts.
    private const int LeastCount = 2;

    /// <summary>The smallest vocabulary: the control tokens and every byte.</summary>
    public static int SmallestVocabulary => TrainedVocabulary.ControlTokens.Count + 256;

    /// <summary>Learns from texts.</summary>
    /// <param name="texts">Read once.</param>
    /// <param name="vocabularySize">Tokens wanted; fewer come out where the texts run out of repeated pairs.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is below <see cref="SmallestVocabulary"/>.</exception>
    public static TrainedVocabulary Train(IEnumerable<string> texts, int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, SmallestVocabulary);
        var vocabulary = new TrainedVocabulary();
        var pairs = new PairCounts(CountWords(texts).Select(w => new CountedWord(vocabulary.ByteIds(w.Key), w.Value)));
        while (vocabulary.Count < vocabularySize && pairs.TakeMostFrequent(LeastCount) is { } pair)
        {
            pairs.Merge(pair, vocabulary.Merge(pair.Left, pair.Right));
        }

        return vocabulary;
    }

    private static IEnumerable<KeyValuePair<string, long>> CountWords(IEnumerable<string> texts)
    {
        var regex = new UnicodeRegex(TrainedVocabulary.Pattern);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lengths = new List<int>();
        foreach (var text in texts)
        {
            lengths.Clear();
            regex.Split(text, lengths);
            var start = 0;
            foreach (var length in lengths)
            {
                var word = text.Substring(start, length);
                counts[word] = counts.GetValueOrDefault(word) + 1;
                start += length;
            }
        }

        return counts.OrderBy(w => w.Key, StringComparer.Ordinal);
    }
}

/// <summary>Two neighbouring tokens.</summary>
internal readonly record struct TokenPair(int Left, int Right);

/// <summary>A word of the texts as tokens, and how often it occurs.</summary>
internal sealed record CountedWord(List<int> Ids, long Count)
{
    public IEnumerable<TokenPair> Pairs() => Ids.Zip(Ids.Skip(1), (left, right) => new TokenPair(left, right));
}
