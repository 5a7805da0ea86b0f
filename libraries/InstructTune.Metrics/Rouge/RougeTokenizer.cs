using System.Text;
using InstructTune.Metrics.Text;

namespace InstructTune.Metrics.Rouge;

/// <summary>The tokenizer of google's ROUGE: lower-case runs of ASCII letters and digits.</summary>
public static class RougeTokenizer
{
    private const int LongestUnstemmedToken = 3;

    /// <summary>The tokens of a text; with <paramref name="stem"/>, those of more than three characters are stemmed.</summary>
    public static List<string> Tokenize(string text, bool stem)
    {
        var tokens = new List<string>();
        var token = new StringBuilder();
        foreach (var c in PythonText.Lower(text))
        {
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            {
                token.Append(c);
            }
            else
            {
                Flush(token, tokens, stem);
            }
        }
        Flush(token, tokens, stem);
        return tokens;
    }

    private static void Flush(StringBuilder token, List<string> tokens, bool stem)
    {
        if (token.Length > 0)
        {
            var word = token.ToString();
            tokens.Add(stem && word.Length > LongestUnstemmedToken ? PorterStemmer.Stem(word) : word);
            token.Clear();
        }
    }
}
