namespace InstructTune.Modeling.Generation;

/// <summary>
/// Chooses the tokens of one sequence, in double precision. The order of everything is fixed here and in <see cref="LogitPenalties"/>: allowed ids, bad words,
/// minimum length, bias, repetition, frequency and presence penalty, temperature, min-p, top-k, top-p, draw. Depends on nothing but the logits, the options and
/// the tokens so far. Allocates nothing per token once its buffers have the size of the vocabulary.
/// </summary>
public sealed class Sampler
{
    private readonly SamplingOptions _options;
    private readonly uint _choice;
    private readonly LogitPenalties _penalties;
    private readonly CandidateSet _candidates = new();
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
        var id = _options.IsGreedy ? Greedy(logits_V) : Filter(logits_V).Draw(Philox.Uniform(_options.Seed, (ulong)_penalties.OutputCount, _choice));
        Record(id);
        return id;
    }

    /// <summary>Remembers a token that was chosen before, such as when a sequence is resumed.</summary>
    public void Record(int id) => _penalties.Record(id);

    /// <summary>The tokens that may be drawn; valid until the next call.</summary>
    internal CandidateSet Filter(ReadOnlySpan<float> logits_V)
    {
        var values_V = Penalized(logits_V);
        foreach (ref var value in values_V)
        {
            value /= _options.Temperature;
        }

        _candidates.Reset(values_V);
        if (_candidates.Count == 0)
        {
            throw NothingPossible();
        }

        if (_options.MinP > 0)
        {
            _candidates.KeepMinP(_options.MinP);
        }

        if (_options.TopK > 0)
        {
            _candidates.KeepTopK(_options.TopK);
        }

        if (_options.TopP < 1)
        {
            _candidates.KeepTopP(_options.TopP);
        }

        return _candidates;
    }

    private int Greedy(ReadOnlySpan<float> logits_V)
    {
        if (_penalties.ChangesNothing)
        {
            var id = LogitScan.IndexOfBest(logits_V);
            return float.IsNegativeInfinity(logits_V[id]) ? throw NothingPossible() : id;
        }

        var values_V = Penalized(logits_V);
        var best = 0;
        for (var i = 1; i < values_V.Length; i++)
        {
            if (values_V[i] > values_V[best])
            {
                best = i;
            }
        }

        return double.IsNegativeInfinity(values_V[best]) ? throw NothingPossible() : best;
    }

    private Span<double> Penalized(ReadOnlySpan<float> logits_V)
    {
        if (_work_V.Length != logits_V.Length)
        {
            _work_V = new double[logits_V.Length];
        }

        LogitScan.Refuse(logits_V);
        var work_V = _work_V.AsSpan();
        for (var id = 0; id < logits_V.Length; id++)
        {
            work_V[id] = logits_V[id];
        }

        _penalties.Apply(work_V);
        return work_V;
    }

    private static NonFiniteLogitsException NothingPossible() => new("No token is possible: every logit is -infinity after masking.");
}
