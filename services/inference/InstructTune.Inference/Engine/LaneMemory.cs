namespace InstructTune.Inference.Engine;

/// <summary>The cache memory of one base, shared by slots and prefixes. Slots come first: prefixes leave when a slot needs the room.</summary>
internal sealed class LaneMemory(SlotPool slots, PrefixCache prefixes)
{
    private List<CacheEdit> _edits = [];

    public SlotPool Slots => slots;

    public PrefixCache Prefixes => prefixes;

    /// <summary>Tokens of the prompt that need not be computed.</summary>
    public int Find(Sequence sequence) => sequence.Prefix is { } chain ? prefixes.Match(chain) * SlotPool.BlockTokens : 0;

    /// <summary>Gives a sequence a slot with as much of its prompt as is known.</summary>
    public bool TryStart(Sequence sequence, int tokens, long now)
    {
        if (sequence.Prefix is { } wanted)
        {
            prefixes.Use(wanted, prefixes.Match(wanted));
        }
        if (Rent(() => slots.TryRent(tokens)) is not { } slot)
        {
            return false;
        }
        var known = 0;
        if (sequence.Prefix is { } chain)
        {
            var places = prefixes.Use(chain, prefixes.Match(chain));
            known = places.Length;
            for (var i = 0; i < known; i++)
            {
                _edits.Add(new CacheEdit(places[i], slot.FirstBlock + i, 1));
            }
        }
        sequence.Start(slot, now, known * SlotPool.BlockTokens);
        return true;
    }

    /// <summary>Makes sure that the slot holds so many tokens; false while others hold the memory.</summary>
    public bool TryGrow(Sequence sequence, int tokens)
    {
        var slot = sequence.Slot!;
        if (slot.CapacityTokens >= tokens)
        {
            return true;
        }
        // Twice as much, so that a long text moves a few times only; what is needed now, if there is no more.
        var wanted = Math.Min(Math.Max(tokens, 2 * slot.CapacityTokens), sequence.CapacityTokens);
        var grown = slots.TryGrow(slot, wanted) ?? Rent(() => slots.TryGrow(slot, tokens));
        if (grown is null)
        {
            return false;
        }
        if (grown.FirstBlock != slot.FirstBlock)
        {
            _edits.Add(new CacheEdit(slot.FirstBlock, grown.FirstBlock, SlotPool.BlocksFor(sequence.Computed)));
        }
        sequence.MoveTo(grown);
        return true;
    }

    public void Free(Sequence sequence, bool failed)
    {
        if (sequence.Release() is { } slot)
        {
            slots.Return(slot);
            if (failed)
            {
                _edits.Add(CacheEdit.Clear(slot));
            }
        }
    }

    /// <summary>Keeps the prompt of a sequence that has computed it.</summary>
    public void Keep(Sequence sequence)
    {
        if (prefixes.IsOn && sequence.Prefix is { } chain)
        {
            _edits.AddRange(prefixes.Keep(chain, sequence.Slot!));
        }
    }

    public IReadOnlyList<CacheEdit> TakeEdits()
    {
        var edits = _edits;
        _edits = [];
        return edits;
    }

    private Slot? Rent(Func<Slot?> tryRent)
    {
        var slot = tryRent();
        while (slot is null && prefixes.Evict())
        {
            slot = tryRent();
        }
        return slot;
    }
}
