namespace InstructTune.Metrics.Rouge;

/// <summary>ROUGE as google's rouge_score computes it. Reference first, then prediction.</summary>
public static class RougeMetric
{
    private const int LongestGram = 9;

    /// <summary>Clipped overlap of n-grams, n from 1 to 9.</summary>
    public static RougeScore RougeN(string reference, string prediction, int n, bool stem)
    {
        if (n is < 1 or > LongestGram)
        {
            throw new ArgumentOutOfRangeException(nameof(n), n, "must be from 1 to 9");
        }
        var referenceGrams = CountGrams(RougeTokenizer.Tokenize(reference, stem), n, out var referenceSize);
        var predictionGrams = CountGrams(RougeTokenizer.Tokenize(prediction, stem), n, out var predictionSize);
        var hits = 0;
        foreach (var (gram, count) in referenceGrams)
        {
            hits += Math.Min(count, predictionGrams.GetValueOrDefault(gram));
        }
        return RougeScore.Of(hits, predictionSize, referenceSize);
    }

    /// <summary>Longest common subsequence of the whole texts; lines do not matter.</summary>
    public static RougeScore RougeL(string reference, string prediction, bool stem)
    {
        var referenceTokens = RougeTokenizer.Tokenize(reference, stem);
        var predictionTokens = RougeTokenizer.Tokenize(prediction, stem);
        var length = CommonSubsequence.Length(referenceTokens, predictionTokens);
        return RougeScore.Of(length, predictionTokens.Count, referenceTokens.Count);
    }

    /// <summary>Union of the longest common subsequences of each line of the reference with the lines of the prediction.</summary>
    public static RougeScore RougeLsum(string reference, string prediction, bool stem)
    {
        var referenceLines = TokenizeLines(reference, stem);
        var predictionLines = TokenizeLines(prediction, stem);
        var referenceLeft = CountGrams(referenceLines.SelectMany(line => line).ToList(), 1, out var referenceSize);
        var predictionLeft = CountGrams(predictionLines.SelectMany(line => line).ToList(), 1, out var predictionSize);
        var hits = 0;
        foreach (var line in referenceLines)
        {
            foreach (var token in CommonSubsequence.UnionIndices(line, predictionLines).Select(index => line[index]))
            {
                if (predictionLeft.GetValueOrDefault(token) > 0 && referenceLeft.GetValueOrDefault(token) > 0)
                {
                    hits++;
                    predictionLeft[token]--;
                    referenceLeft[token]--;
                }
            }
        }
        return RougeScore.Of(hits, predictionSize, referenceSize);
    }

    private static List<List<string>> TokenizeLines(string text, bool stem) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => RougeTokenizer.Tokenize(line, stem)).ToList();

    // Tokens hold letters and digits only, so a space joins them without ambiguity.
    private static Dictionary<string, int> CountGrams(List<string> tokens, int n, out int size)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        size = Math.Max(tokens.Count - n + 1, 0);
        for (var start = 0; start < size; start++)
        {
            var gram = n == 1 ? tokens[start] : string.Join(' ', tokens.GetRange(start, n));
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }
        return counts;
    }
}
