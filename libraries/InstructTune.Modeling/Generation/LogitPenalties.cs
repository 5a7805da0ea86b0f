namespace InstructTune.Modeling.Generation;

/// <summary>What changes logits before the temperature, in the order in which it does: masks, bias, penalties.</summary>
internal sealed class LogitPenalties
{
    private readonly SamplingOptions _options;
    private readonly int[] _endIds;
    private readonly int[] _allowedIds;
    private readonly double[] _allowedLogits;
    private readonly KeyValuePair<int, double>[] _bias;
    private readonly HashSet<int> _seen = [];
    private readonly Dictionary<int, int> _outputCounts = [];
    private readonly List<int> _output = [];

    public LogitPenalties(SamplingOptions options, IEnumerable<int> promptIds, IEnumerable<int> endIds)
    {
        _options = options;
        _endIds = [.. endIds];
        _allowedIds = [.. options.AllowedTokenIds.Distinct()];
        _allowedLogits = new double[_allowedIds.Length];
        _bias = [.. options.LogitBias];
        if (options.RepetitionPenalty != 1)
        {
            _seen.UnionWith(promptIds);
        }
    }

    public int OutputCount { get; private set; }

    /// <summary>Whether the next token's logits stay what they are.</summary>
    public bool ChangesNothing =>
        _allowedIds.Length == 0 && _options.BadWords.Count == 0 && OutputCount >= _options.MinTokens && _bias.Length == 0 && _seen.Count == 0 && _outputCounts.Count == 0;

    public void Record(int id)
    {
        OutputCount++;
        if (_options.BadWords.Count > 0)
        {
            _output.Add(id);
        }

        if (_options.RepetitionPenalty != 1)
        {
            _seen.Add(id);
        }

        if (_options.PresencePenalty != 0 || _options.FrequencyPenalty != 0)
        {
            _outputCounts[id] = _outputCounts.GetValueOrDefault(id) + 1;
        }
    }

    public void Apply(Span<double> logits_V)
    {
        KeepAllowed(logits_V);
        MaskBadWords(logits_V);
        if (OutputCount < _options.MinTokens)
        {
            foreach (var id in _endIds.AsSpan())
            {
                Mask(logits_V, id);
            }
        }

        foreach (var (id, bias) in _bias)
        {
            logits_V[id] += bias;
        }

        foreach (var id in _seen)
        {
            var logit = logits_V[id];
            logits_V[id] = logit > 0 ? logit / _options.RepetitionPenalty : logit * _options.RepetitionPenalty;
        }

        foreach (var (id, count) in _outputCounts)
        {
            logits_V[id] -= (_options.FrequencyPenalty * count) + _options.PresencePenalty;
        }
    }

    private void KeepAllowed(Span<double> logits_V)
    {
        if (_allowedIds.Length == 0)
        {
            return;
        }

        for (var i = 0; i < _allowedIds.Length; i++)
        {
            _allowedLogits[i] = logits_V[_allowedIds[i]];
        }

        logits_V.Fill(double.NegativeInfinity);
        for (var i = 0; i < _allowedIds.Length; i++)
        {
            logits_V[_allowedIds[i]] = _allowedLogits[i];
        }
    }

    // The last token of a word is banned where the output, not the prompt, ends with those before it.
    private void MaskBadWords(Span<double> logits_V)
    {
        foreach (var word in _options.BadWords)
        {
            var matches = word.Count - 1 <= _output.Count;
            for (var i = 0; matches && i < word.Count - 1; i++)
            {
                matches = word[i] == _output[_output.Count - word.Count + 1 + i];
            }

            if (matches)
            {
                Mask(logits_V, word[^1]);
            }
        }
    }

    // End-of-text ids of a model may lie outside of the rows that it computes.
    private static void Mask(Span<double> logits_V, int id)
    {
        if ((uint)id < (uint)logits_V.Length)
        {
            logits_V[id] = double.NegativeInfinity;
        }
    }
}
