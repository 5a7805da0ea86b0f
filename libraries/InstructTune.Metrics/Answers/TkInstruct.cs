using InstructTune.Metrics.Text;

namespace InstructTune.Metrics.Answers;

/// <summary>Exact match as Tk-Instruct computes it: articles are kept.</summary>
public static class TkInstruct
{
    /// <summary>Lower case, without the 32 marks of ASCII, words joined by one space.</summary>
    public static string Normalize(string text) => string.Join(' ', PythonText.Split(AnswerText.LowerWithoutPunctuation(text)));

    /// <summary>Whether the two are equal after normalisation. Two empty answers match.</summary>
    public static bool ExactMatch(string reference, string prediction) => Normalize(reference) == Normalize(prediction);
}
