using InstructTune.Metrics.Text;

namespace InstructTune.Metrics.Answers;

/// <summary>Exact match and F1 over tokens as the evaluation of SQuAD 1.1 computes them.</summary>
public static class Squad
{
    /// <summary>Lower case, without marks of ASCII and articles, words joined by one space.</summary>
    public static string Normalize(string text) => string.Join(' ', Tokens(text));

    /// <summary>Whether the two are equal after normalisation. Two empty answers match.</summary>
    public static bool ExactMatch(string reference, string prediction) => Normalize(reference) == Normalize(prediction);

    /// <summary>F1 over the multisets of tokens; 0 without a common token, so also for two empty answers.</summary>
    public static double F1(string reference, string prediction)
    {
        var referenceTokens = Tokens(reference);
        var predictionTokens = Tokens(prediction);
        var left = referenceTokens.CountBy(token => token, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var common = 0;
        foreach (var token in predictionTokens)
        {
            if (left.GetValueOrDefault(token) > 0)
            {
                left[token]--;
                common++;
            }
        }
        if (common == 0)
        {
            return 0;
        }
        var precision = common / (double)predictionTokens.Count;
        var recall = common / (double)referenceTokens.Count;
        return 2 * precision * recall / (precision + recall);
    }

    private static List<string> Tokens(string text) =>
        PythonText.Split(AnswerText.WithoutArticles(AnswerText.LowerWithoutPunctuation(text)));
}
