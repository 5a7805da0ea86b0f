namespace InstructTune.Modeling.Generation;

/// <summary>A token and the natural logarithm of its probability.</summary>
public readonly record struct TokenLogprob(int TokenId, double Logprob);

/// <summary>What the model itself thought of a token: before masks, bias, penalties, temperature and filters.</summary>
/// <param name="Chosen">The token.</param>
/// <param name="Alternatives">The likeliest tokens, of equals the lowest id first, then the tokens that were asked for by id. Where the token is among them, its value is the same bit for bit.</param>
public sealed record TokenReport(TokenLogprob Chosen, IReadOnlyList<TokenLogprob> Alternatives)
{
    /// <summary>How many alternatives a request may ask for.</summary>
    public const int MaxAlternatives = 20;

    /// <summary>How many ids a request may ask for.</summary>
    public const int MaxTokenIds = 128;

    /// <summary>Reads a row of logits.</summary>
    /// <param name="logits_V">As the model gave them.</param>
    /// <param name="chosen">The token that was chosen, or that stands there.</param>
    /// <param name="count">How many of the likeliest tokens.</param>
    /// <param name="alsoIds">Tokens to report whatever their rank.</param>
    /// <param name="vocabularySize">How many entries are tokens; the others count for the sum only. Absent: all.</param>
    public static TokenReport Of(ReadOnlySpan<float> logits_V, int chosen, int count, IReadOnlyList<int> alsoIds, int? vocabularySize = null)
    {
        var total = LogSum(logits_V);
        var tokens = vocabularySize ?? logits_V.Length;
        var best = Best(logits_V[..tokens], Math.Min(count, tokens));
        var alternatives = new TokenLogprob[best.Length + alsoIds.Count];
        for (var i = 0; i < alternatives.Length; i++)
        {
            var id = i < best.Length ? best[i] : alsoIds[i - best.Length];
            alternatives[i] = new(id, logits_V[id] - total);
        }

        return new(new(chosen, logits_V[chosen] - total), alternatives);
    }

    private static double LogSum(ReadOnlySpan<float> logits_V)
    {
        var best = float.NegativeInfinity;
        foreach (var logit in logits_V)
        {
            best = Math.Max(best, logit);
        }

        var sum = 0.0;
        foreach (var logit in logits_V)
        {
            sum += Math.Exp((double)logit - best);
        }

        return best + Math.Log(sum);
    }

    // Insertion into a short list: almost every token of a vocabulary fails the one comparison with the last of it.
    private static int[] Best(ReadOnlySpan<float> logits_V, int count)
    {
        var best = new int[count];
        var filled = 0;
        for (var id = 0; count > 0 && id < logits_V.Length; id++)
        {
            if (filled == count && !(logits_V[id] > logits_V[best[^1]]))
            {
                continue;
            }

            filled += filled < count ? 1 : 0;
            var at = filled - 1;
            for (; at > 0 && logits_V[id] > logits_V[best[at - 1]]; at--)
            {
                best[at] = best[at - 1];
            }

            best[at] = id;
        }

        return best;
    }
}
