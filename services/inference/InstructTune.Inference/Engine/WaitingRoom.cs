namespace InstructTune.Inference.Engine;

/// <summary>
/// Who waits for a slot of one base. The tenant that was served least is next, with its most urgent request, of those the oldest. Nobody
/// passes another tenant by being urgent; only what is in no hurry stays behind all that is.
/// </summary>
internal sealed class WaitingRoom(TenantLedger ledger, long agingTicks)
{
    private readonly Dictionary<string, TenantQueue> _queues = new(StringComparer.Ordinal);

    public int Count { get; private set; }

    /// <summary>In the order of their arrival within a tenant and urgency; one that was thrown out of its slot comes before all later ones.</summary>
    public void Add(Sequence sequence)
    {
        var tenant = sequence.Life.Standing.Tenant;
        if (!_queues.TryGetValue(tenant, out var queue))
        {
            queue = new TenantQueue(agingTicks);
            _queues.Add(tenant, queue);
        }
        queue.Add(sequence);
        Count++;
    }

    public void Remove(Sequence sequence)
    {
        var tenant = sequence.Life.Standing.Tenant;
        if (_queues.TryGetValue(tenant, out var queue) && queue.Remove(sequence))
        {
            Count--;
            if (queue.Count == 0)
            {
                _queues.Remove(tenant);
            }
        }
    }

    /// <summary>Who is next of those who can start now.</summary>
    public Sequence? Next(Func<Sequence, bool> canStart, long now) =>
        Next(Urgency.Standard, canStart, now) ?? Next(Urgency.Batch, canStart, now);

    public IEnumerable<Sequence> All() => _queues.Values.SelectMany(queue => queue.All());

    private Sequence? Next(Urgency lowest, Func<Sequence, bool> canStart, long now)
    {
        var least = double.PositiveInfinity;
        Sequence? next = null;
        foreach (var (tenant, queue) in _queues)
        {
            var served = ledger.ServedOf(tenant);
            if (next is not null && served > least)
            {
                continue;
            }
            if (queue.First(lowest, canStart, now) is { } first && (next is null || served < least || first.Order < next.Order))
            {
                (next, least) = (first, served);
            }
        }
        return next;
    }
}
