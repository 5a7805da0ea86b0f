namespace InstructTune.Inference.Engine;

/// <summary>
/// Decides what the next step runs. No clock, thread or tensor of its own: the same calls give the same plans.
/// Within a base, sequences share steps and start in the order that is fair to their tenants; the bases take turns.
/// </summary>
internal sealed class Scheduler(SchedulerLimits limits)
{
    private readonly List<Lane> _lanes = [];
    private readonly TenantLedger _ledger = new(limits.TenantWeights);
    private long _order;

    public SchedulerFigures Figures { get; } = new();

    public TenantLedger Ledger => _ledger;

    /// <summary>In the order of their next turn.</summary>
    public IReadOnlyList<Lane> Lanes => _lanes;

    public bool HasWork => _lanes.Exists(lane => lane.HasWork);

    public int RunningCount => _lanes.Sum(lane => lane.Running.Count);

    public int WaitingCount => _lanes.Sum(lane => lane.WaitingCount);

    public void AddBase(string baseKey, SlotPool slots) => _lanes.Add(new Lane(baseKey, slots, limits, _ledger, Figures));

    public void RemoveBase(string baseKey)
    {
        var lane = Find(baseKey);
        if (lane is { HasWork: true })
        {
            throw new InvalidOperationException("A base with running or waiting sequences cannot be removed.");
        }
        if (lane is not null)
        {
            _lanes.Remove(lane);
        }
    }

    /// <summary>False when the base is not here, or has no room for such a sequence even when empty.</summary>
    public bool TryAdd(Sequence sequence)
    {
        if (Find(sequence.Model.BaseKey) is not { } lane || sequence.CapacityTokens > lane.Slots.LargestTokens)
        {
            return false;
        }
        sequence.Order = _order++;
        lane.Add(sequence);
        return true;
    }

    /// <summary>Takes out what was cancelled or is past its deadline, slots first: the step planned next can use them.</summary>
    public IReadOnlyList<Sequence> RemoveOver() => RemoveWhere(sequence => sequence.Life.IsOver);

    /// <summary>Takes out everything, waiting and running.</summary>
    public IReadOnlyList<Sequence> RemoveAll() => RemoveWhere(_ => true);

    /// <summary>Takes a running sequence out and frees its slot.</summary>
    public void Remove(Sequence sequence, bool failed = false) => Find(sequence.Model.BaseKey)?.Remove(sequence, failed);

    /// <summary>After a chunk was computed, and taken by a sequence that still has its slot.</summary>
    public void Settle(Chunk chunk) => Find(chunk.Sequence.Model.BaseKey)?.Settle(chunk);

    /// <summary>After a step was computed: how long that took.</summary>
    public void Observe(StepPlan plan, double seconds) => Find(plan.BaseKey)?.Observe(plan.Rows, seconds);

    /// <summary>Takes out who waits and was never begun, nor anything of the same request.</summary>
    public IReadOnlyList<Sequence> RemoveWaiting() => RemoveWhere(sequence => sequence.Slot is null && !sequence.Life.HasBegun);

    /// <summary>The next step, or null when there is nothing to run.</summary>
    public StepPlan? Next(long now)
    {
        for (var turn = 0; turn < _lanes.Count; turn++)
        {
            var next = _lanes[0];
            _lanes.RemoveAt(0);
            _lanes.Add(next);
            if (next.HasWork && next.Plan(now) is { Chunks.Count: > 0 } plan)
            {
                return plan;
            }
        }
        return null;
    }

    private Lane? Find(string baseKey) => _lanes.Find(lane => lane.BaseKey == baseKey);

    private List<Sequence> RemoveWhere(Predicate<Sequence> isOver)
    {
        List<Sequence> removed = [];
        foreach (var lane in _lanes)
        {
            lane.RemoveWhere(isOver, removed);
        }
        return removed;
    }
}
