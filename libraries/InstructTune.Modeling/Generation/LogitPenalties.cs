namespace InstructTune.Modeling.Generation;

/// <summary>What depends on the tokens so far: the mask of the minimum length and the penalties.</summary>
internal sealed class LogitPenalties
{
    private readonly SamplingOptions options;
    private readonly int[] endIds;
    private readonly HashSet<int> seen = [];
    private readonly Dictionary<int, int> outputCounts = [];

    public LogitPenalties(SamplingOptions options, IEnumerable<int> promptIds, IEnumerable<int> endIds)
    {
        this.options = options;
        this.endIds = [.. endIds];
        if (options.RepetitionPenalty != 1)
        {
            seen.UnionWith(promptIds);
        }
    }

    public int OutputCount { get; private set; }

    public void Record(int id)
    {
        OutputCount++;
        if (options.RepetitionPenalty != 1)
        {
            seen.Add(id);
        }

        if (options.PresencePenalty != 0 || options.FrequencyPenalty != 0)
        {
            outputCounts[id] = outputCounts.GetValueOrDefault(id) + 1;
        }
    }

    public void Apply(Span<double> logits_V)
    {
        if (OutputCount < options.MinTokens)
        {
            foreach (var id in endIds.AsSpan())
            {
                if ((uint)id < (uint)logits_V.Length)
                {
                    logits_V[id] = double.NegativeInfinity;
                }
            }
        }

        foreach (var id in seen)
        {
            var logit = logits_V[id];
            logits_V[id] = logit > 0 ? logit / options.RepetitionPenalty : logit * options.RepetitionPenalty;
        }

        foreach (var (id, count) in outputCounts)
        {
            logits_V[id] -= (options.FrequencyPenalty * count) + options.PresencePenalty;
        }
    }
}
