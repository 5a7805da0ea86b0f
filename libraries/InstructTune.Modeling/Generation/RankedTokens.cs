namespace InstructTune.Modeling.Generation;

/// <summary>
/// The tokens that may be drawn, best first, of equals the lowest id first, with their logits. Only tokens near the best are ranked at once; the long tail of a
/// vocabulary is ranked when something asks for it.
/// </summary>
internal sealed class RankedTokens
{
    // Within this distance of the best logit a token has 1/22,000 of its probability at least.
    private const double Near = 10;

    private readonly double[] _logits;
    private readonly int[] _ids;
    private int _ranked;

    /// <summary>Ranks every token with a finite logit.</summary>
    public RankedTokens(ReadOnlySpan<double> logits_V)
    {
        var best = double.NegativeInfinity;
        foreach (var logit in logits_V)
        {
            best = Math.Max(best, logit);
        }

        (_logits, _ids) = (new double[logits_V.Length], new int[logits_V.Length]);
        Take(logits_V, from: Math.Max(best - Near, double.MinValue), below: double.PositiveInfinity);
        Rank(0, Count);
        Take(logits_V, from: double.MinValue, below: best - Near);
    }

    public int Count { get; private set; }

    public ReadOnlySpan<int> Ids
    {
        get
        {
            RankAtLeast(Count);
            return _ids.AsSpan(0, Count);
        }
    }

    public ReadOnlySpan<double> Logits
    {
        get
        {
            RankAtLeast(Count);
            return _logits.AsSpan(0, Count);
        }
    }

    /// <summary>Keeps tokens with at least this fraction of the best probability.</summary>
    public void KeepMinP(double minP)
    {
        var count = 1;
        while (count < Count && Weight(count) >= minP)
        {
            count++;
        }

        Count = count;
    }

    /// <summary>Keeps the best k and what is tied with the last of them.</summary>
    public void KeepTopK(int topK)
    {
        if (topK >= Count)
        {
            return;
        }

        RankAtLeast(topK + 1);
        var count = topK;
        while (count < Count && _logits[count] == _logits[topK - 1])
        {
            RankAtLeast(++count);
        }

        Count = count;
    }

    /// <summary>Keeps the shortest prefix whose probability reaches p.</summary>
    public void KeepTopP(double topP)
    {
        var (needed, sum, count) = (topP * Total(), 0.0, 0);
        while (count < Count && sum < needed)
        {
            sum += Weight(count++);
        }

        Count = Math.Max(count, 1);
    }

    /// <summary>The first token whose running sum of probabilities exceeds the given share.</summary>
    public int Draw(double uniform)
    {
        var (threshold, sum) = (uniform * Total(), 0.0);
        for (var i = 0; i < Count; i++)
        {
            sum += Weight(i);
            if (sum > threshold)
            {
                return _ids[i];
            }
        }

        return Ids[^1];
    }

    private void Take(ReadOnlySpan<double> logits_V, double from, double below)
    {
        for (var id = 0; id < logits_V.Length; id++)
        {
            if (logits_V[id] >= from && logits_V[id] < below)
            {
                (_logits[Count], _ids[Count]) = (logits_V[id], id);
                Count++;
            }
        }
    }

    private double Weight(int rank)
    {
        RankAtLeast(rank + 1);
        return Math.Exp(_logits[rank] - _logits[0]);
    }

    private double Total()
    {
        var sum = 0.0;
        for (var i = 0; i < Count; i++)
        {
            sum += Math.Exp(_logits[i] - _logits[0]);
        }

        return sum;
    }

    private void RankAtLeast(int count)
    {
        if (count > _ranked)
        {
            Rank(_ranked, Count);
        }
    }

    private void Rank(int start, int end)
    {
        var logits = _logits.AsSpan(start, end - start);
        var ids = _ids.AsSpan(start, end - start);
        logits.Sort(ids);
        logits.Reverse();
        ids.Reverse();
        for (var first = 0; first < logits.Length;)
        {
            var next = first + 1;
            while (next < logits.Length && logits[next] == logits[first])
            {
                next++;
            }

            ids[first..next].Sort();
            first = next;
        }

        _ranked = end;
    }
}
