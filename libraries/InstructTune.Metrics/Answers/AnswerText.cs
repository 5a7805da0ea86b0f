using System.Text;
using InstructTune.Metrics.Text;

namespace InstructTune.Metrics.Answers;

/// <summary>Steps that the normal forms of answers share.</summary>
internal static class AnswerText
{
    public static string LowerWithoutPunctuation(string text)
    {
        var lowered = PythonText.Lower(text);
        var kept = new StringBuilder(lowered.Length);
        foreach (var c in lowered)
        {
            if (!PythonText.IsAsciiPunctuation(c))
            {
                kept.Append(c);
            }
        }
        return kept.ToString();
    }

    /// <summary>Puts a space in place of every whole word a, an, the.</summary>
    public static string WithoutArticles(string text)
    {
        var kept = new StringBuilder(text.Length);
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (PythonText.IsWord(rune))
            {
                word.Append(rune.ToString());
                continue;
            }
            FlushWord(word, kept);
            kept.Append(rune.ToString());
        }
        FlushWord(word, kept);
        return kept.ToString();
    }

    private static void FlushWord(StringBuilder word, StringBuilder kept)
    {
        var text = word.ToString();
        kept.Append(text is "a" or "an" or "the" ? " " : text);
        word.Clear();
    }
}
