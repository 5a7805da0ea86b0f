namespace InstructTune.Modeling.Generation;

/// <summary>Log-probabilities of raw logits, in double precision.</summary>
public static class LogProbabilities
{
    /// <summary>Natural logarithm of the sum of exponentials.</summary>
    /// <exception cref="NonFiniteLogitsException">The row holds NaN or +infinity, or nothing but -infinity.</exception>
    public static double LogSumExp(ReadOnlySpan<float> logits_V)
    {
        double best = logits_V[ArgMax(logits_V)];
        var sum = 0.0;
        foreach (var logit in logits_V)
        {
            sum += Math.Exp(logit - best);
        }

        return best + Math.Log(sum);
    }

    /// <summary>The best token; of equals the lowest id.</summary>
    /// <exception cref="NonFiniteLogitsException">The row holds NaN or +infinity, or nothing but -infinity.</exception>
    public static int ArgMax(ReadOnlySpan<float> logits_V)
    {
        var (best, at) = (float.NegativeInfinity, -1);
        for (var id = 0; id < logits_V.Length; id++)
        {
            var logit = logits_V[id];
            if (float.IsNaN(logit) || float.IsPositiveInfinity(logit))
            {
                throw new NonFiniteLogitsException($"The logit of token {id} is {logit}.");
            }

            if (logit > best)
            {
                (best, at) = (logit, id);
            }
        }

        return at >= 0 ? at : throw new NonFiniteLogitsException("Every logit is -infinity.");
    }
}
