namespace InstructTune.Inference.Engine;

/// <summary>
/// Hands out the cache memory of one base, allocated once under a ceiling of bytes and counted in blocks. A slot is one run of blocks,
/// so that attention reads views and copies nothing; the first gap that is large enough is taken, and neighbouring gaps join.
/// </summary>
internal sealed class SlotPool
{
    /// <summary>A slot is at most this much larger than its sequence.</summary>
    public const int BlockTokens = Sequence.ChunkTokens;

    private readonly long _blockBytes;
    private readonly HashSet<Slot> _rented = [];

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

    public int GapCount => _gaps.Count;

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
                var slot = new Slot(first, blocks);
                _gaps.Remove(first);
                if (count > blocks)
                {
                    _gaps.Add(first + blocks, count - blocks);
                }
                _rented.Add(slot);
                RentedBlocks += blocks;
                return slot;
            }
        }
        return null;
    }

    public void Return(Slot slot)
    {
        if (!_rented.Remove(slot))
        {
            throw new InvalidOperationException($"The slot at block {slot.FirstBlock} is not rented.");
        }
        RentedBlocks -= slot.Blocks;
        var (first, end) = (slot.FirstBlock, slot.FirstBlock + slot.Blocks);
        if (_gaps.Remove(end, out var after))
        {
            end += after;
        }
        var before = LastGapBefore(first);
        if (before >= 0 && _gaps.Keys[before] + _gaps.Values[before] == first)
        {
            first = _gaps.Keys[before];
            _gaps.RemoveAt(before);
        }
        _gaps.Add(first, end - first);
    }

    private static int BlocksFor(int tokens) => (tokens + BlockTokens - 1) / BlockTokens;

    private int LastGapBefore(int block)
    {
        var index = _gaps.Count - 1;
        while (index >= 0 && _gaps.Keys[index] >= block)
        {
            index--;
        }
        return index;
    }
}
