namespace InstructTune.Inference.Engine;

/// <summary>
/// Hands out the cache memory of one base, allocated once under a ceiling of bytes and counted in blocks. A slot is one run of blocks,
/// so that attention reads views and copies nothing; the first gap that is large enough is taken, and neighbouring gaps join. Single
/// blocks, of the prefix cache, come from the other end.
/// </summary>
internal sealed class SlotPool
{
    /// <summary>A slot is at most this much larger than its sequence.</summary>
    public const int BlockTokens = Sequence.ChunkTokens;

    private readonly long _blockBytes;
    private readonly HashSet<Slot> _rented = [];
    private readonly HashSet<Slot> _blocks = [];

    /// <summary>Free runs: first block to count, no two of them adjacent.</summary>
    private readonly SortedList<int, int> _gaps = [];

    /// <param name="ceilingBytes">Never exceeded.</param>
    /// <param name="bytesPerToken">Keys and values of all layers.</param>
    /// <param name="contextTokens">Longest sequence of the model.</param>
    /// <param name="maxSequences">More memory than for so many of the longest sequences is not taken.</param>
    public SlotPool(long ceilingBytes, long bytesPerToken, int contextTokens, int maxSequences)
    {
        _blockBytes = bytesPerToken * BlockTokens;
        var wanted = (long)BlocksFor(contextTokens) * maxSequences;
        BlockCount = (int)Math.Min(Math.Min(wanted, ceilingBytes / _blockBytes), int.MaxValue);
        LargestTokens = (int)Math.Min(contextTokens, (long)BlockCount * BlockTokens);
        if (BlockCount > 0)
        {
            _gaps.Add(0, BlockCount);
        }
    }

    public int BlockCount { get; }

    /// <summary>The longest sequence that can ever be held.</summary>
    public int LargestTokens { get; }

    public long SizeBytes => BlockCount * _blockBytes;

    public int RentedCount => _rented.Count;

    public int RentedBlocks { get; private set; }

    public long RentedBytes => RentedBlocks * _blockBytes;

    /// <summary>Of the prefix cache.</summary>
    public int SingleBlocks => _blocks.Count;

    public long SingleBytes => _blocks.Count * _blockBytes;

    public int GapCount => _gaps.Count;

    public static int BlocksFor(int tokens) => (tokens + BlockTokens - 1) / BlockTokens;

    public int BlocksIn(long sizeBytes) => (int)Math.Min(sizeBytes / _blockBytes, BlockCount);

    /// <summary>A slot for so many tokens, or null while others hold the memory.</summary>
    public Slot? TryRent(int tokens)
    {
        if (tokens > LargestTokens)
        {
            throw new InvalidOperationException($"A sequence of {tokens} tokens can never be held; at most {LargestTokens} fit.");
        }
        var blocks = BlocksFor(tokens);
        foreach (var (first, count) in _gaps)
        {
            if (count >= blocks)
            {
                return Rent(first, blocks);
            }
        }
        return null;
    }

    /// <summary>
    /// A larger slot in place of one, where it is if the blocks behind it are free, else elsewhere, perhaps overlapping the old one; null
    /// while others hold the memory, and then the old one stays.
    /// </summary>
    public Slot? TryGrow(Slot slot, int tokens)
    {
        Return(slot);
        var blocks = BlocksFor(tokens);
        var gap = GapOf(slot.FirstBlock);
        if (_gaps.Keys[gap] + _gaps.Values[gap] - slot.FirstBlock >= blocks)
        {
            return Rent(slot.FirstBlock, blocks);
        }
        if (TryRent(tokens) is { } moved)
        {
            return moved;
        }
        Rent(slot.FirstBlock, slot.Blocks);
        return null;
    }

    public void Return(Slot slot)
    {
        if (!_rented.Remove(slot))
        {
            throw new InvalidOperationException($"The slot at block {slot.FirstBlock} is not rented.");
        }
        RentedBlocks -= slot.Blocks;
        Free(slot);
    }

    /// <summary>One block, as far from the slots as there is one; null when all are taken.</summary>
    public Slot? TryRentBlock()
    {
        if (_gaps.Count == 0)
        {
            return null;
        }
        var block = new Slot(_gaps.Keys[^1] + _gaps.Values[^1] - 1, 1);
        Take(block);
        _blocks.Add(block);
        return block;
    }

    public void ReturnBlock(Slot block)
    {
        if (!_blocks.Remove(block))
        {
            throw new InvalidOperationException($"Block {block.FirstBlock} is not rented.");
        }
        Free(block);
    }

    private Slot Rent(int first, int blocks)
    {
        var slot = new Slot(first, blocks);
        Take(slot);
        _rented.Add(slot);
        RentedBlocks += blocks;
        return slot;
    }

    /// <summary>Cuts blocks out of the gap that they lie in.</summary>
    private void Take(Slot slot)
    {
        var gap = GapOf(slot.FirstBlock);
        var (first, end) = (_gaps.Keys[gap], _gaps.Keys[gap] + _gaps.Values[gap]);
        _gaps.RemoveAt(gap);
        if (slot.FirstBlock > first)
        {
            _gaps.Add(first, slot.FirstBlock - first);
        }
        var after = slot.FirstBlock + slot.Blocks;
        if (end > after)
        {
            _gaps.Add(after, end - after);
        }
    }

    private void Free(Slot slot)
    {
        var (first, end) = (slot.FirstBlock, slot.FirstBlock + slot.Blocks);
        if (_gaps.Remove(end, out var after))
        {
            end += after;
        }
        var before = GapOf(first);
        if (before >= 0 && _gaps.Keys[before] + _gaps.Values[before] == first)
        {
            first = _gaps.Keys[before];
            _gaps.RemoveAt(before);
        }
        _gaps.Add(first, end - first);
    }

    /// <summary>The last gap that begins at a block or before it, or -1.</summary>
    private int GapOf(int block)
    {
        var (low, high) = (0, _gaps.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _gaps.Keys[middle] <= block ? (middle + 1, high) : (low, middle);
        }
        return low - 1;
    }
}
