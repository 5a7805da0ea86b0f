namespace InstructTune.Inference.Engine;

/// <summary>
/// Blocks of prompts that were computed before, in the same memory as the slots and only in what those leave free. A block is copied into
/// the slot of who needs it, and out of the slot of who computed it. Least recently used blocks leave first, of one prompt its end before
/// its beginning.
/// </summary>
internal sealed class PrefixCache(SlotPool slots, int maxBlocks)
{
    private readonly Dictionary<PrefixKey, LinkedListNode<Entry>> _entries = [];

    /// <summary>Least recently used first.</summary>
    private readonly LinkedList<Entry> _order = new();

    public bool IsOn => maxBlocks > 0;

    public int Count => _entries.Count;

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
            _order.Remove(node);
            _order.AddLast(node);
            places[block] = node.Value.Place.FirstBlock;
        }
        return places;
    }

    /// <summary>Keeps the blocks of a prompt that are not here yet, as far as there is room for them, and tells what to copy.</summary>
    public IEnumerable<CacheEdit> Keep(PrefixChain chain, Slot slot)
    {
        List<CacheEdit> edits = [];
        var kept = 0;
        for (; kept < Math.Min(chain.Count, maxBlocks); kept++)
        {
            if (Find(chain, kept) is { } node)
            {
                _order.Remove(node);
                _order.AddLast(node);
                continue;
            }
            if (_entries.ContainsKey(chain[kept]) || Room() is not { } place)
            {
                break;
            }
            _entries.Add(chain[kept], _order.AddLast(new Entry(chain[kept], chain.TokensOf(kept).ToArray(), place)));
            edits.Add(new CacheEdit(slot.FirstBlock + kept, place.FirstBlock, 1));
        }
        // A small cache may have dropped the beginning of a long prompt for its end.
        Use(chain, Math.Min(kept, Math.Min(Match(chain), chain.Count)));
        return edits;
    }

    /// <summary>Makes one block free; false when there is none to be freed.</summary>
    public bool Evict()
    {
        if (_order.First is not { } oldest)
        {
            return false;
        }
        _order.RemoveFirst();
        _entries.Remove(oldest.Value.Key);
        slots.ReturnBlock(oldest.Value.Place);
        return true;
    }

    /// <summary>Equal digests are not trusted to mean equal tokens.</summary>
    private LinkedListNode<Entry>? Find(PrefixChain chain, int block) =>
        block < chain.Count && _entries.TryGetValue(chain[block], out var node) && chain.TokensOf(block).SequenceEqual(node.Value.TokenIds) ? node : null;

    private Slot? Room()
    {
        while (_entries.Count >= maxBlocks)
        {
            Evict();
        }
        var place = slots.TryRentBlock();
        return place is null && Evict() ? slots.TryRentBlock() : place;
    }

    private sealed record Entry(PrefixKey Key, int[] TokenIds, Slot Place);
}
