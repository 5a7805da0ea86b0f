namespace InstructTune.Trainer.Data;

/// <summary>
/// Whose turn it is, so that after any number of draws each has had its share to within one draw (Tijdeman, The chairman assignment problem, 1980). Nothing is
/// random: what is drawn may be shuffled later.
/// </summary>
internal sealed class DrawOrder(IReadOnlyList<double> weights)
{
    private readonly List<int> _active = [.. Enumerable.Range(0, weights.Count)];
    private readonly long[] _drawn = new long[weights.Count];
    private long _draws;
    private double _sum = weights.Sum();

    /// <summary>Those that still have turns.</summary>
    public int ActiveCount => _active.Count;

    /// <summary>Who is next.</summary>
    public int Next()
    {
        _draws++;
        var slack = _active.Count < 2 ? 0 : 1.0 / ((2 * _active.Count) - 2);
        var best = -1;
        var earliest = double.PositiveInfinity;
        foreach (var i in _active)
        {
            var share = weights[i] / _sum;
            var owed = (share * _draws) - _drawn[i];
            var deadline = (1 - slack - owed) / share;
            if ((owed >= slack || _active.Count == 1) && deadline < earliest)
            {
                (best, earliest) = (i, deadline);
            }
        }

        // Rounding may leave none that is owed; then the one that is owed most.
        best = best >= 0 ? best : _active.MaxBy(i => (weights[i] / _sum * _draws) - _drawn[i]);
        _drawn[best]++;
        return best;
    }

    /// <summary>No more turns for this one; the shares of the others are counted anew.</summary>
    public void Remove(int index)
    {
        _active.Remove(index);
        Array.Clear(_drawn);
        (_draws, _sum) = (0, _active.Sum(i => weights[i]));
    }
}
