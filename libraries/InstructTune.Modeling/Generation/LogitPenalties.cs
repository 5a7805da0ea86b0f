namespace InstructTune.Modeling.Generation;

/// <summary>What depends on the tokens so far: the mask of the minimum length and the penalties.</summary>
internal sealed class LogitPenalties
{
    private readonly SamplingOptions _options;
    private readonly int[] _endIds;
    private readonly HashSet<int> _seen = [];
    private readonly Dictionary<int, int> _outputCounts = [];

    public LogitPenalties(SamplingOptions options, IEnumerable<int> promptIds, IEnumerable<int> endIds)
    {
        _options = options;
        _endIds = [.. endIds];
        if (options.RepetitionPenalty != 1)
        {
            _seen.UnionWith(promptIds);
        }
    }

    public int OutputCount { get; private set; }

    public void Record(int id)
    {
        OutputCount++;
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
        if (OutputCount < _options.MinTokens)
        {
            foreach (var id in _endIds.AsSpan())
            {
                if ((uint)id < (uint)logits_V.Length)
                {
                    logits_V[id] = double.NegativeInfinity;
                }
            }
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
}
