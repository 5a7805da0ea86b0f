namespace InstructTune.Inference.Engine;

/// <summary>Everything that runs on one base: its cache memory, who has a part of it, and who waits.</summary>
internal sealed class Lane
{
    private readonly SchedulerLimits _limits;
    private readonly TenantLedger _ledger;
    private readonly SchedulerFigures _figures;
    private readonly WaitingRoom _waiting;
    private readonly LaneMemory _memory;
    private readonly StepPace _pace = new();

    /// <summary>The most urgent first, of those the oldest. Who must make room is the last.</summary>
    private readonly List<Sequence> _running = [];

    public Lane(string baseKey, SlotPool slots, SchedulerLimits limits, TenantLedger ledger, SchedulerFigures figures)
    {
        (BaseKey, _limits, _ledger, _figures) = (baseKey, limits, ledger, figures);
        _waiting = new WaitingRoom(ledger, limits.AgingTicks);
        _memory = new LaneMemory(slots, new PrefixCache(slots, slots.BlocksIn(limits.PrefixBytes), Math.Max(1, slots.BlocksIn(limits.PrefixTenantBytes))));
    }

    public string BaseKey { get; }

    public SlotPool Slots => _memory.Slots;

    public PrefixCache Prefixes => _memory.Prefixes;

    public int WaitingCount => _waiting.Count;

    public IReadOnlyList<Sequence> Running => _running;

    public IEnumerable<Sequence> Waiting => _waiting.All();

    public bool HasWork => _waiting.Count > 0 || _running.Count > 0;

    public void Add(Sequence sequence)
    {
        _ledger.Enter(sequence.Life.Standing.Tenant);
        _waiting.Add(sequence);
    }

    /// <summary>Takes a running sequence out. What a failed one leaves in its slot is zeroed: 0 times NaN is NaN.</summary>
    public void Remove(Sequence sequence, bool failed)
    {
        if (_running.Remove(sequence))
        {
            _memory.Free(sequence, failed);
            _ledger.Leave(sequence.Life.Standing.Tenant);
        }
    }

    public void RemoveWhere(Predicate<Sequence> isOver, ICollection<Sequence> removed)
    {
        if (_waiting.Count > 0)
        {
            foreach (var sequence in _waiting.All().Where(sequence => isOver(sequence)).ToArray())
            {
                removed.Add(sequence);
                _waiting.Remove(sequence);
                _ledger.Leave(sequence.Life.Standing.Tenant);
            }
        }
        for (var i = _running.Count - 1; i >= 0; i--)
        {
            if (isOver(_running[i]))
            {
                removed.Add(_running[i]);
                Remove(_running[i], failed: false);
            }
        }
    }

    /// <summary>The next step: tokens to be generated, then prompts that have begun, then whoever can start.</summary>
    public StepPlan Plan(long now)
    {
        var draft = new StepDraft(RowsOfStep());
        var before = _figures.Preemptions;
        foreach (var sequence in _running.Where(sequence => sequence.IsDecoding).ToArray())
        {
            if (sequence.Slot is not null && HasRoom(sequence, sequence.Computed + 1))
            {
                draft.Add(sequence, sequence.Computed + 1);
            }
        }
        foreach (var sequence in _running.Where(sequence => !sequence.IsDecoding))
        {
            draft.Add(sequence, sequence.ChunkEnd(draft.RowsLeft));
        }
        if (_figures.Preemptions == before)
        {
            Admit(draft, now);
        }
        return new StepPlan(BaseKey, draft.ByAdapter()) { Edits = draft.Chunks.Count > 0 ? _memory.TakeEdits() : [] };
    }

    /// <summary>After a chunk was computed and its sequence has taken what came of it.</summary>
    public void Settle(Chunk chunk)
    {
        var sequence = chunk.Sequence;
        var news = sequence.NewRows(chunk);
        _figures.RepeatedRows += chunk.Rows - news;
        if (chunk.From >= sequence.PromptTokens)
        {
            _ledger.Charge(sequence.Life.Standing.Tenant, news * TenantLedger.OutputPrice);
        }
        if (chunk.From < sequence.PromptTokens && chunk.To == sequence.PromptTokens)
        {
            _memory.Keep(sequence);
        }
    }

    /// <summary>After a step: how long its rows took.</summary>
    public void Observe(int rows, double seconds) => _pace.Record(rows, seconds);

    /// <summary>
    /// Whoever gets a token in every step waits for all the rows of it: beside them prompts come in smaller parts. Where a prompt is cut does not
    /// depend on it, nor does any bit.
    /// </summary>
    private int RowsOfStep()
    {
        var decoding = _running.Count(sequence => sequence.IsDecoding);
        return decoding == 0
            ? _limits.TokenBudget
            : Math.Min(_limits.TokenBudget, Math.Max(decoding + Sequence.ChunkTokens, _pace.RowsIn(_limits.StepSeconds)));
    }

    private bool HasRoom(Sequence sequence, int tokens)
    {
        while (!_memory.TryGrow(sequence, tokens))
        {
            var victim = _running.FindLast(other => other.CanBePreempted) ?? sequence;
            Preempt(victim);
            if (victim == sequence)
            {
                return false;
            }
        }
        return true;
    }

    private void Preempt(Sequence sequence)
    {
        _running.Remove(sequence);
        _memory.Free(sequence, failed: false);
        sequence.Restart();
        _waiting.Add(sequence);
        _figures.Preemptions++;
    }

    /// <summary>
    /// Nobody passes the one that is next when it waits for memory: small requests would keep a large one waiting for ever. Who waits for a
    /// prefix that another one computes is not next.
    /// </summary>
    private void Admit(StepDraft draft, long now)
    {
        while (_running.Count < _limits.MaxRunning && _waiting.Next(CanStart, now) is { } next)
        {
            var known = _memory.Find(next);
            if (next.ChunkEnd(known, draft.RowsLeft) == known
                || !_memory.TryStart(next, next.TokensToReserve(_limits.ReservedOutputTokens), now))
            {
                return;
            }
            _waiting.Remove(next);
            _running.Insert(_running.FindLastIndex(other => Precedes(other, next)) + 1, next);
            if (next.Preemptions == 0)
            {
                _figures.PrefixQueries += next.Prefix is null ? 0 : next.PromptTokens;
                _figures.PrefixHits += next.Computed;
                _ledger.Charge(next.Life.Standing.Tenant, (next.PromptTokens - next.Computed) * TenantLedger.PromptPrice);
            }
            draft.Add(next, next.ChunkEnd(draft.RowsLeft));
        }
    }

    private static bool Precedes(Sequence one, Sequence other) =>
        (one.Life.Standing.Urgency, one.Order).CompareTo((other.Life.Standing.Urgency, other.Order)) < 0;

    private bool CanStart(Sequence sequence)
    {
        if (!_memory.Prefixes.IsOn || sequence.Prefix is not { Readable: > 0 } prefix)
        {
            return true;
        }
        var missing = _memory.Prefixes.Match(prefix);
        if (missing == prefix.Readable)
        {
            return true;
        }
        var leader = _running.Find(other => other.Computed < other.PromptTokens && other.Prefix is { } own && own.Count > missing && own[missing] == prefix[missing]);
        if (leader is not null && (sequence.Leader ?? leader) == leader)
        {
            sequence.Leader = leader;
            return false;
        }
        return true;
    }
}
