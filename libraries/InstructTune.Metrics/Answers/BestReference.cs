namespace InstructTune.Metrics.Answers;

/// <summary>Scoring against several acceptable answers.</summary>
public static class BestReference
{
    /// <summary>The greatest score over the references, of which there must be at least one.</summary>
    public static double Score(IReadOnlyList<string> references, string prediction, Func<string, string, double> score)
    {
        if (references.Count == 0)
        {
            throw new ArgumentException("must hold at least one reference", nameof(references));
        }
        return references.Max(reference => score(reference, prediction));
    }
}
