namespace InstructTune.Metrics.Rouge;

/// <summary>Precision, recall and their harmonic mean, each in [0, 1].</summary>
/// <param name="Precision">Share of the prediction that is in the reference.</param>
/// <param name="Recall">Share of the reference that is in the prediction.</param>
public readonly record struct RougeScore(double Precision, double Recall)
{
    /// <summary>2PR/(P+R), or 0 where both are 0.</summary>
    public double FMeasure => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;

    internal static RougeScore Of(int hits, int predictionSize, int referenceSize) =>
        new(hits / (double)Math.Max(predictionSize, 1), hits / (double)Math.Max(referenceSize, 1));
}
