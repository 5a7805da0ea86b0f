using System.Runtime.InteropServices;

namespace InstructTune.Modeling.Generation;

/// <summary>The tokens that may be drawn, best first, of equals the lowest id first, with their logits.</summary>
internal sealed class RankedTokens
{
    private readonly double[] logits;
    private readonly int[] ids;

    /// <summary>Ranks every token with a finite logit.</summary>
    public RankedTokens(ReadOnlySpan<double> logits_V)
    {
        List<double> negated = new(logits_V.Length);
        List<int> kept = new(logits_V.Length);
        for (var id = 0; id < logits_V.Length; id++)
        {
            if (!double.IsNegativeInfinity(logits_V[id]))
            {
                negated.Add(-logits_V[id]);
                kept.Add(id);
            }
        }

        logits = [.. negated];
        ids = [.. kept];
        Array.Sort(logits, ids);
        for (var i = 0; i < logits.Length; i++)
        {
            logits[i] = -logits[i];
        }

        SortTies();
        Count = ids.Length;
    }

    public int Count { get; private set; }

    public ReadOnlySpan<int> Ids => ids.AsSpan(0, Count);

    public ReadOnlySpan<double> Logits => logits.AsSpan(0, Count);

    /// <summary>Keeps tokens with at least this fraction of the best probability.</summary>
    public void KeepMinP(double minP)
    {
        while (Count > 1 && Math.Exp(logits[Count - 1] - logits[0]) < minP)
        {
            Count--;
        }
    }

    /// <summary>Keeps the best k and what is tied with the last of them.</summary>
    public void KeepTopK(int topK)
    {
        if (topK < Count)
        {
            var last = logits[topK - 1];
            Count = topK;
            while (Count < ids.Length && logits[Count] == last)
            {
                Count++;
            }
        }
    }

    /// <summary>Keeps the shortest prefix whose probability reaches p.</summary>
    public void KeepTopP(double topP)
    {
        var (needed, sum, count) = (topP * Total(), 0.0, 0);
        while (count < Count && sum < needed)
        {
            sum += Math.Exp(logits[count++] - logits[0]);
        }

        Count = Math.Max(count, 1);
    }

    /// <summary>The first token whose running sum of probabilities exceeds the given share.</summary>
    public int Draw(double uniform)
    {
        var (threshold, sum) = (uniform * Total(), 0.0);
        for (var i = 0; i < Count; i++)
        {
            sum += Math.Exp(logits[i] - logits[0]);
            if (sum > threshold)
            {
                return ids[i];
            }
        }

        return ids[Count - 1];
    }

    private double Total()
    {
        var sum = 0.0;
        foreach (var logit in Logits)
        {
            sum += Math.Exp(logit - logits[0]);
        }

        return sum;
    }

    private void SortTies()
    {
        for (var start = 0; start < logits.Length;)
        {
            var end = start + 1;
            while (end < logits.Length && logits[end] == logits[start])
            {
                end++;
            }

            MemoryMarshal.CreateSpan(ref ids[start], end - start).Sort();
            start = end;
        }
    }
}
