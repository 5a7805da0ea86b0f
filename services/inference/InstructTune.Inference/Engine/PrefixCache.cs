namespace InstructTune.Inference.Engine;

/// <summary>
/// Blocks of prompts that were computed before, in the same memory as the slots and only in what those leave free. A block is copied into
/// the slot of who needs it, and out of the slot of who computed it. Least recently used blocks leave first, of one prompt its end before
/// its beginning; who holds more than a tenant's share makes room before all others.
/// </summary>
/// <param name="slots">The memory.</param>
/// <param name="maxBlocks">Of all.</param>
/// <param name="shareBlocks">Of one tenant while others want the room; what nobody wants, it may have.</param>
internal sealed class PrefixCache(SlotPool slots, int maxBlocks, int shareBlocks = int.MaxValue)
{
    private readonly Dictionary<PrefixKey, LinkedListNode<Entry>> _entries = [];

    private readonly Dictionary<string, int> _byOwner = new(StringComparer.Ordinal);

    /// <summary>Least recently used first.</summary>
    private readonly LinkedList<Entry> _order = new();

    private long _keeps;

    public bool IsOn => maxBlocks > 0;

    public int Count => _entries.Count;

    public int CountOf(string owner) => _byOwner.GetValueOrDefault(owner);

    /// <summary>How many blocks at the beginning of the prompt are here.</summary>
    public int Match(PrefixChain chain)
    {
        var count = 0;
        while (count < chain.Readable && Find(chain, count) is not null)
        {
            count++;
        }
        return count;
    }

    /// <summary>Marks the first blocks of a prompt as just used, and tells where they lie.</summary>
    public int[] Use(PrefixChain chain, int blocks)
    {
        var places = new int[blocks];
        for (var block = blocks - 1; block >= 0; block--)
        {
            var node = Find(chain, block)!;
            Touch(node);
            places[block] = node.Value.Place.FirstBlock;
        }
        return places;
    }

    /// <summary>Keeps the blocks of a prompt that are not here yet, as far as there is room for them, and tells what to copy.</summary>
    public IEnumerable<CacheEdit> Keep(PrefixChain chain, Slot slot)
    {
        List<CacheEdit> edits = [];
        _keeps++;
        var kept = 0;
        for (; kept < chain.Count; kept++)
        {
            if (Find(chain, kept) is { } node)
            {
                Touch(node);
                continue;
            }
            if (_entries.ContainsKey(chain[kept]) || Room(chain.Owner) is not { } place)
            {
                break;
            }
            Add(new Entry(chain[kept], chain.TokensOf(kept).ToArray(), place, chain.Owner) { Touched = _keeps });
            edits.Add(new CacheEdit(slot.FirstBlock + kept, place.FirstBlock, 1));
        }
        Use(chain, Math.Min(kept, Match(chain)));
        return edits;
    }

    /// <summary>Makes one block free; false when there is none to be freed.</summary>
    public bool Evict()
    {
        var victim = Victim(owner: null);
        if (victim is not null)
        {
            Remove(victim);
        }
        return victim is not null;
    }

    /// <summary>Equal digests are not trusted to mean equal tokens.</summary>
    private LinkedListNode<Entry>? Find(PrefixChain chain, int block) =>
        block < chain.Count && _entries.TryGetValue(chain[block], out var node) && chain.TokensOf(block).SequenceEqual(node.Value.TokenIds) ? node : null;

    private void Touch(LinkedListNode<Entry> node)
    {
        _order.Remove(node);
        _order.AddLast(node);
        node.Value.Touched = _keeps;
    }

    private void Add(Entry entry)
    {
        _entries.Add(entry.Key, _order.AddLast(entry));
        _byOwner[entry.Owner] = CountOf(entry.Owner) + 1;
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _order.Remove(node);
        _entries.Remove(node.Value.Key);
        slots.ReturnBlock(node.Value.Place);
        if (--_byOwner[node.Value.Owner] == 0)
        {
            _byOwner.Remove(node.Value.Owner);
        }
    }

    /// <summary>A place for one more block of a tenant. A prompt does not drop its own beginning for its end.</summary>
    private Slot? Room(string owner)
    {
        while (_entries.Count >= maxBlocks)
        {
            if (!EvictFor(owner))
            {
                return null;
            }
        }
        return slots.TryRentBlock() ?? (EvictFor(owner) ? slots.TryRentBlock() : null);
    }

    private bool EvictFor(string owner)
    {
        var victim = Victim(CountOf(owner) >= shareBlocks ? owner : null);
        if (victim is null || victim.Value.Touched == _keeps)
        {
            return false;
        }
        Remove(victim);
        return true;
    }

    /// <summary>The oldest block of that tenant; else of those who hold more than their share; else of all.</summary>
    private LinkedListNode<Entry>? Victim(string? owner)
    {
        if (owner is null && !_byOwner.Values.Any(count => count > shareBlocks))
        {
            return _order.First;
        }
        var node = _order.First;
        while (node is not null && (owner is null ? CountOf(node.Value.Owner) <= shareBlocks : node.Value.Owner != owner))
        {
            node = node.Next;
        }
        return node;
    }

    private sealed record Entry(PrefixKey Key, int[] TokenIds, Slot Place, string Owner)
    {
        /// <summary>The prompt that used it last, by number.</summary>
        public long Touched { get; set; }
    }
}
