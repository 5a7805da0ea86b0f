using InstructTune.Metrics.Text;

namespace InstructTune.Metrics.Ranking;

/// <summary>The option that log-probabilities choose, as lm-evaluation-harness decides. Equals go to the lowest index.</summary>
public static class OptionRanking
{
    /// <summary>The option of the greatest log-probability (<c>acc</c>).</summary>
    public static int Choose(IReadOnlyList<double> logprobs) => IndexOfGreatest(logprobs, static (logprob, _) => logprob);

    /// <summary>The option of the greatest log-probability per Unicode code point (<c>acc_norm</c>).</summary>
    public static int ChooseByLength(IReadOnlyList<double> logprobs, IReadOnlyList<string> options)
    {
        if (options.Count != logprobs.Count)
        {
            throw new ArgumentException("must be as many as the log-probabilities", nameof(options));
        }
        var lengths = options.Select(PythonText.CodePointCount).ToArray();
        if (lengths.Contains(0))
        {
            throw new ArgumentException("must not hold an empty option", nameof(options));
        }
        return IndexOfGreatest(logprobs, (logprob, index) => logprob / lengths[index]);
    }

    private static int IndexOfGreatest(IReadOnlyList<double> logprobs, Func<double, int, double> key)
    {
        if (logprobs.Count == 0)
        {
            throw new ArgumentException("must hold at least one log-probability", nameof(logprobs));
        }
        var best = 0;
        for (var i = 1; i < logprobs.Count; i++)
        {
            best = key(logprobs[i], i) > key(logprobs[best], best) ? i : best;
        }
        return best;
    }
}
