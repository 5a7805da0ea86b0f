namespace InstructTune.Modeling.Tokenization;

/// <summary>Storage for merging one word: its symbols as a chain, the merge that each could make with the next, and a heap of those.</summary>
internal sealed class MergeWork
{
    private ulong[] _heap = [];

    public Buffer<int> Symbols { get; } = new();

    public int[] Previous { get; private set; } = [];

    public int[] Next { get; private set; } = [];

    /// <summary>Packed as in <see cref="MergeTable"/>.</summary>
    public ulong[] Merges { get; private set; } = [];

    public int HeapCount { get; private set; }

    /// <summary>Makes room for every symbol and links each with its neighbours.</summary>
    public void Link()
    {
        var length = Symbols.Count;
        if (Next.Length < length)
        {
            // Every pair enters the heap once, and every merge, of which there are fewer, makes two new ones.
            (Previous, Next, Merges, _heap) = (new int[length], new int[length], new ulong[length], new ulong[length * 3]);
        }

        HeapCount = 0;
        for (var i = 0; i < length; i++)
        {
            (Previous[i], Next[i]) = (i - 1, i + 1 < length ? i + 1 : -1);
        }
    }

    /// <summary>Adds a merge; of equal ranks the leftmost comes out first.</summary>
    public void Push(int rank, int place)
    {
        var item = ((ulong)(uint)rank << 32) | (uint)place;
        var at = HeapCount++;
        while (at > 0 && _heap[(at - 1) / 2] > item)
        {
            _heap[at] = _heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }

        _heap[at] = item;
    }

    public (int Rank, int Place) Pop()
    {
        var top = _heap[0];
        var item = _heap[--HeapCount];
        var at = 0;
        for (var child = 1; child < HeapCount; child = (at * 2) + 1)
        {
            child += child + 1 < HeapCount && _heap[child + 1] < _heap[child] ? 1 : 0;
            if (_heap[child] >= item)
            {
                break;
            }

            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = item;
        return ((int)(top >> 32), (int)(uint)top);
    }

    public void Trim(int kept)
    {
        Symbols.Trim(kept);
        if (Next.Length > kept)
        {
            (Previous, Next, Merges, _heap) = ([], [], [], []);
        }
    }
}
