namespace InstructTune.Modeling.Generation;

/// <summary>
/// The tokens that may be drawn, with their logits. Their order is best first, of equals the lowest id first, but they are never sorted as a whole: every
/// question about the order is answered by partitioning, in time that grows with the number of tokens and no faster. Keeps its arrays between tokens.
/// </summary>
internal sealed class CandidateSet
{
    // So few are sorted.
    private const int Few = 24;

    private double[] _logits = [];
    private double[] _weights = [];
    private int[] _ids = [];
    private double _best;
    private bool _weighed;

    public int Count { get; private set; }

    /// <summary>In no order.</summary>
    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    /// <summary>Of <see cref="Ids"/>.</summary>
    public ReadOnlySpan<double> Logits => _logits.AsSpan(0, Count);

    /// <summary>Begins with every token that has a finite logit.</summary>
    public void Reset(ReadOnlySpan<double> logits_V)
    {
        if (_logits.Length < logits_V.Length)
        {
            (_logits, _weights, _ids) = (new double[logits_V.Length], new double[logits_V.Length], new int[logits_V.Length]);
        }

        (Count, _best, _weighed) = (0, double.NegativeInfinity, false);
        for (var id = 0; id < logits_V.Length; id++)
        {
            var logit = logits_V[id];
            if (logit > double.NegativeInfinity)
            {
                (_logits[Count], _ids[Count]) = (logit, id);
                Count++;
                _best = logit > _best ? logit : _best;
            }
        }
    }

    /// <summary>Keeps tokens with at least this fraction of the best probability.</summary>
    public void KeepMinP(double minP)
    {
        // Most are dismissed without an exponential; rounding cannot matter that far below.
        var floor = Math.Log(minP) - 1e-6;
        var count = 0;
        for (var i = 0; i < Count; i++)
        {
            var distance = _logits[i] - _best;
            if (distance >= floor && (distance == 0 || Math.Exp(distance) >= minP))
            {
                Swap(i, count++);
            }
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

        Select(topK);
        var last = _logits[topK - 1];
        var count = topK;
        for (var i = topK; i < Count; i++)
        {
            if (_logits[i] == last)
            {
                Swap(i, count++);
            }
        }

        Count = count;
    }

    /// <summary>Keeps the shortest prefix of the order whose probability reaches p.</summary>
    public void KeepTopP(double topP) => Count = Cut(topP * Weigh(), orEqual: true);

    /// <summary>The first token of the order whose running sum of probabilities exceeds the given share.</summary>
    public int Draw(double uniform) => _ids[Cut(uniform * Weigh(), orEqual: false) - 1];

    private double Weigh()
    {
        if (!_weighed)
        {
            for (var i = 0; i < Count; i++)
            {
                _weights[i] = Math.Exp(_logits[i] - _best);
            }

            _weighed = true;
        }

        var total = 0.0;
        foreach (var weight in _weights.AsSpan(0, Count))
        {
            total += weight;
        }

        return total;
    }

    // How many of the order it takes until the sum of weights reaches (or exceeds) the target; the last of them is then at its place.
    private int Cut(double target, bool orEqual)
    {
        var (low, high, before) = (0, Count, 0.0);
        while (high - low > Few)
        {
            var pivot = Partition(low, high);
            var left = before;
            for (var i = low; i < pivot; i++)
            {
                left += _weights[i];
            }

            if (Reaches(left))
            {
                high = pivot;
                continue;
            }

            before = left + _weights[pivot];
            if (Reaches(before))
            {
                return pivot + 1;
            }

            low = pivot + 1;
        }

        Sort(low, high);
        for (var i = low; i < high; i++)
        {
            before += _weights[i];
            if (Reaches(before))
            {
                return i + 1;
            }
        }

        // Sums in another order can differ in the last bit: what was to be reached is then reached by the last.
        return high;

        bool Reaches(double sum) => orEqual ? sum >= target : sum > target;
    }

    // Brings the first so many of the order to the front, the last of them to its place.
    private void Select(int count)
    {
        var (low, high) = (0, Count);
        while (high - low > Few)
        {
            var pivot = Partition(low, high);
            if (pivot == count - 1)
            {
                return;
            }

            (low, high) = pivot >= count ? (low, pivot) : (pivot + 1, high);
        }

        Sort(low, high);
    }

    // Around the middle one of three; returns where it ended up.
    private int Partition(int low, int high)
    {
        var (middle, last) = ((int)(((uint)low + (uint)high) / 2), high - 1);
        if (IsBefore(middle, low))
        {
            Swap(middle, low);
        }

        if (IsBefore(last, low))
        {
            Swap(last, low);
        }

        if (IsBefore(middle, last))
        {
            Swap(middle, last);
        }

        var (logit, id) = (_logits[last], _ids[last]);
        var end = low;
        for (var i = low; i < last; i++)
        {
            if (_logits[i] > logit || (_logits[i] == logit && _ids[i] < id))
            {
                Swap(i, end++);
            }
        }

        Swap(end, last);
        return end;
    }

    private void Sort(int low, int high)
    {
        for (var i = low + 1; i < high; i++)
        {
            for (var j = i; j > low && IsBefore(j, j - 1); j--)
            {
                Swap(j, j - 1);
            }
        }
    }

    private bool IsBefore(int left, int right) =>
        _logits[left] > _logits[right] || (_logits[left] == _logits[right] && _ids[left] < _ids[right]);

    private void Swap(int left, int right)
    {
        (_logits[left], _logits[right]) = (_logits[right], _logits[left]);
        (_ids[left], _ids[right]) = (_ids[right], _ids[left]);
        (_weights[left], _weights[right]) = (_weights[right], _weights[left]);
    }
}
