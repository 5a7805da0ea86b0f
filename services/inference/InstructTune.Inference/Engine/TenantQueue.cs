namespace InstructTune.Inference.Engine;

/// <summary>The waiting sequences of one tenant on one base: one row per urgency, each in order of arrival.</summary>
internal sealed class TenantQueue(long agingTicks)
{
    private readonly LinkedList<Sequence>[] _rows = [new(), new(), new()];

    public int Count => _rows.Sum(row => row.Count);

    public void Add(Sequence sequence)
    {
        var row = _rows[(int)sequence.Life.Standing.Urgency];
        var after = row.Last;
        while (after is not null && after.Value.Order > sequence.Order)
        {
            after = after.Previous;
        }
        if (after is null)
        {
            row.AddFirst(sequence);
        }
        else
        {
            row.AddAfter(after, sequence);
        }
    }

    public bool Remove(Sequence sequence) => _rows[(int)sequence.Life.Standing.Urgency].Remove(sequence);

    /// <summary>The first that can start, no less urgent than that. Who has waited long enough counts as one step more urgent.</summary>
    public Sequence? First(Urgency lowest, Func<Sequence, bool> canStart, long now)
    {
        Sequence? first = null;
        var urgency = Urgency.Batch;
        foreach (var row in _rows)
        {
            var candidate = row.FirstOrDefault(canStart);
            var own = candidate is null ? Urgency.Batch : UrgencyOf(candidate, now);
            var isFirst = first is null || own < urgency || (own == urgency && candidate?.Order < first.Order);
            if (candidate is not null && own <= lowest && isFirst)
            {
                (first, urgency) = (candidate, own);
            }
        }
        return first;
    }

    public IEnumerable<Sequence> All() => _rows.SelectMany(row => row);

    private Urgency UrgencyOf(Sequence sequence, long now)
    {
        var own = sequence.Life.Standing.Urgency;
        return own > Urgency.Interactive && now - sequence.Life.Arrived >= agingTicks ? own - 1 : own;
    }
}
