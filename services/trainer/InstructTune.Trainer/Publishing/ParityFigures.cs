namespace InstructTune.Trainer.Publishing;

/// <summary>How two forms of one model differ over the tokens of the probe. Pure.</summary>
/// <param name="TokenCount">Positions compared.</param>
/// <param name="MaxLogitDifference">Largest absolute difference of a logit.</param>
/// <param name="RelativeError">Root of the mean square of the differences, over the spread of the reference's logits.</param>
/// <param name="MeanDivergence">Kullback-Leibler divergence of the next token from the reference's, in nats; mean over positions.</param>
/// <param name="TokenAgreement">Share of positions with the same most likely token.</param>
internal sealed record ParityFigures(long TokenCount, double MaxLogitDifference, double RelativeError, double MeanDivergence, double TokenAgreement)
{
    public static ParityFigures Of(IReadOnlyList<float[]> reference, IReadOnlyList<float[]> other)
    {
        var (max, squares, spread, divergence) = (0.0, 0.0, 0.0, 0.0);
        var agreeing = 0;
        foreach (var (one, two) in reference.Zip(other))
        {
            var mean = one.Average(value => (double)value);
            for (var i = 0; i < one.Length; i++)
            {
                var difference = (double)one[i] - two[i];

                // Not a number is the largest difference there is.
                max = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(max, Math.Abs(difference));
                squares += difference * difference;
                spread += (one[i] - mean) * (one[i] - mean);
            }

            divergence += Divergence(one, two);
            agreeing += Array.IndexOf(one, one.Max()) == Array.IndexOf(two, two.Max()) ? 1 : 0;
        }

        return new ParityFigures(
            reference.Count, max, squares == 0 ? 0 : Math.Sqrt(squares / Math.Max(spread, double.Epsilon)), divergence / reference.Count, (double)agreeing / reference.Count);
    }

    private static double Divergence(float[] one, float[] two)
    {
        var (logNormOne, logNormTwo) = (LogNorm(one), LogNorm(two));
        var sum = 0.0;
        for (var i = 0; i < one.Length; i++)
        {
            var log = one[i] - logNormOne;
            sum += Math.Exp(log) * (log - (two[i] - logNormTwo));
        }

        return Math.Max(0, sum);
    }

    private static double LogNorm(float[] logits)
    {
        var max = (double)logits.Max();
        return max + Math.Log(logits.Sum(value => Math.Exp(value - max)));
    }
}
