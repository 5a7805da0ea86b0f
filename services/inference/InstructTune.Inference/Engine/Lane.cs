namespace InstructTune.Inference.Engine;

/// <summary>Everything that runs on one base: its cache memory, who has a part of it, and who waits, in order of arrival.</summary>
internal sealed class Lane(string baseKey, SlotPool slots)
{
    private readonly LinkedList<Sequence> _waiting = new();
    private readonly List<Sequence> _running = [];

    public string BaseKey => baseKey;

    public SlotPool Slots => slots;

    public int WaitingCount => _waiting.Count;

    public IReadOnlyList<Sequence> Running => _running;

    public bool HasWork => _waiting.Count > 0 || _running.Count > 0;

    public void Add(Sequence sequence) => _waiting.AddLast(sequence);

    public void Remove(Sequence sequence)
    {
        if (_running.Remove(sequence) && sequence.Release() is { } slot)
        {
            slots.Return(slot);
        }
    }

    public void RemoveWhere(Predicate<Sequence> isOver, ICollection<Sequence> removed)
    {
        for (var node = _waiting.First; node is not null;)
        {
            var next = node.Next;
            if (isOver(node.Value))
            {
                removed.Add(node.Value);
                _waiting.Remove(node);
            }
            node = next;
        }
        foreach (var sequence in _running.FindAll(isOver))
        {
            removed.Add(sequence);
            Remove(sequence);
        }
    }

    /// <summary>
    /// Starts those in front while there is room. Nobody passes the first: small requests would keep a large one waiting for ever.
    /// </summary>
    public void Admit(int maxRunning, long now)
    {
        while (_running.Count < maxRunning && _waiting.First is { } first && slots.TryRent(first.Value.CapacityTokens) is { } slot)
        {
            _waiting.RemoveFirst();
            first.Value.Start(slot, now);
            _running.Add(first.Value);
        }
    }

    public StepPlan Plan(int tokenBudget)
    {
        List<Chunk> chunks = [];
        var left = tokenBudget;
        foreach (var sequence in _running.Where(sequence => sequence.Known - sequence.Computed == 1))
        {
            chunks.Add(new Chunk(sequence, sequence.Computed, sequence.Known));
            left--;
        }
        foreach (var sequence in _running.Where(sequence => sequence.Known - sequence.Computed > 1))
        {
            var to = sequence.ChunkEnd(left);
            if (to > sequence.Computed)
            {
                chunks.Add(new Chunk(sequence, sequence.Computed, to));
                left -= to - sequence.Computed;
            }
        }
        return new StepPlan(baseKey, chunks);
    }
}
