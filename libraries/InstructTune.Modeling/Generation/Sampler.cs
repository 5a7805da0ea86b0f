namespace InstructTune.Modeling.Generation;

/// <summary>
/// Chooses the tokens of one sequence, in double precision: mask of the minimum length, repetition, frequency and presence penalty,
/// temperature, min-p, top-k, top-p, draw. Depends on nothing but the logits, the options and the tokens so far.
/// </summary>
public sealed class Sampler
{
    private readonly SamplingOptions _options;
    private readonly uint _choice;
    private readonly LogitPenalties _penalties;
    private double[] _work_V = [];

    /// <summary>A sampler before the first token.</summary>
    /// <param name="options">Checked by the caller.</param>
    /// <param name="promptIds">The prompt, for the repetition penalty.</param>
    /// <param name="endIds">End-of-text and stop tokens, for the minimum length.</param>
    /// <param name="choice">Which of several completions of one request this is.</param>
    public Sampler(SamplingOptions options, IEnumerable<int> promptIds, IEnumerable<int> endIds, uint choice = 0)
    {
        _options = options;
        _choice = choice;
        _penalties = new LogitPenalties(options, promptIds, endIds);
    }

    /// <summary>Chooses the next token and remembers it.</summary>
    /// <exception cref="NonFiniteLogitsException">The row holds NaN or +infinity, or no token is possible.</exception>
    public int Next(ReadOnlySpan<float> logits_V)
    {
        var id = _options.IsGreedy ? Greedy(logits_V) : Rank(logits_V).Draw(Philox.Uniform(_options.Seed, (ulong)_penalties.OutputCount, _choice));
        Record(id);
        return id;
    }

    /// <summary>Remembers a token that was chosen before, such as when a sequence is resumed.</summary>
    public void Record(int id) => _penalties.Record(id);

    internal RankedTokens Rank(ReadOnlySpan<float> logits_V)
    {
        var values_V = Penalized(logits_V);
        foreach (ref var value in values_V)
        {
            value /= _options.Temperature;
        }

        var ranked = new RankedTokens(values_V);
        if (ranked.Count == 0)
        {
            throw new NonFiniteLogitsException("No token is possible: every logit is -infinity after masking.");
        }

        Filter(ranked);
        return ranked;
    }

    private void Filter(RankedTokens ranked)
    {
        if (_options.MinP > 0)
        {
            ranked.KeepMinP(_options.MinP);
        }

        if (_options.TopK > 0)
        {
            ranked.KeepTopK(_options.TopK);
        }

        if (_options.TopP < 1)
        {
            ranked.KeepTopP(_options.TopP);
        }
    }

    private int Greedy(ReadOnlySpan<float> logits_V)
    {
        var values_V = Penalized(logits_V);
        var best = 0;
        for (var id = 1; id < values_V.Length; id++)
        {
            if (values_V[id] > values_V[best])
            {
                best = id;
            }
        }

        return double.IsNegativeInfinity(values_V[best])
            ? throw new NonFiniteLogitsException("No token is possible: every logit is -infinity after masking.")
            : best;
    }

    private Span<double> Penalized(ReadOnlySpan<float> logits_V)
    {
        if (_work_V.Length != logits_V.Length)
        {
            _work_V = new double[logits_V.Length];
        }

        for (var id = 0; id < logits_V.Length; id++)
        {
            var logit = logits_V[id];
            if (float.IsNaN(logit) || float.IsPositiveInfinity(logit))
            {
                throw new NonFiniteLogitsException($"The logit of token {id} is {logit}.");
            }

            _work_V[id] = logit;
        }

        _penalties.Apply(_work_V);
        return _work_V;
    }
}
