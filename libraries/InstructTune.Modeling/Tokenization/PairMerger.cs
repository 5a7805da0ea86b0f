namespace InstructTune.Modeling.Tokenization;

/// <summary>Applies merges to one word: lowest rank first, among equals the leftmost.</summary>
internal static class PairMerger
{
    // Below this many symbols a scan beats the heap.
    private const int ShortWord = 32;

    /// <summary>Merges the symbols of the work, which are used up.</summary>
    public static void Merge(MergeTable merges, MergeWork work, Buffer<int> output)
    {
        if (work.Symbols.Count < 2)
        {
            output.Add(work.Symbols.Span);
        }
        else if (work.Symbols.Count <= ShortWord)
        {
            MergeByScan(merges, work.Symbols.Span, output);
        }
        else
        {
            MergeByHeap(merges, work, output);
        }
    }

    private static void MergeByScan(MergeTable merges, Span<int> ids, Buffer<int> output)
    {
        Span<ulong> found = stackalloc ulong[ShortWord];
        for (var i = 0; i + 1 < ids.Length; i++)
        {
            found[i] = merges.Find(ids[i], ids[i + 1]);
        }

        for (var pairs = ids.Length - 1; pairs > 0 && Lowest(found[..pairs]) is >= 0 and var at;)
        {
            ids[at] = MergeTable.Id(found[at]);
            ids[(at + 2)..].CopyTo(ids[(at + 1)..]);
            ids = ids[..^1];
            found[(at + 1)..pairs].CopyTo(found[at..]);
            pairs--;
            if (at > 0)
            {
                found[at - 1] = merges.Find(ids[at - 1], ids[at]);
            }

            if (at < pairs)
            {
                found[at] = merges.Find(ids[at], ids[at + 1]);
            }
        }

        output.Add(ids);
    }

    private static int Lowest(ReadOnlySpan<ulong> found)
    {
        var (at, rank) = (-1, MergeTable.None >> 32);
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i] >> 32 < rank)
            {
                (at, rank) = (i, found[i] >> 32);
            }
        }

        return at;
    }

    private static void MergeByHeap(MergeTable merges, MergeWork work, Buffer<int> output)
    {
        work.Link();
        var symbols = work.Symbols.Span;
        for (var i = 0; i < symbols.Length; i++)
        {
            Offer(merges, work, i);
        }

        while (work.HeapCount > 0)
        {
            var (rank, at) = work.Pop();
            if (MergeTable.Rank(work.Merges[at]) != rank)
            {
                // One of the two was merged with another neighbour meanwhile.
                continue;
            }

            var gone = work.Next[at];
            symbols[at] = MergeTable.Id(work.Merges[at]);
            work.Next[at] = work.Next[gone];
            work.Merges[gone] = MergeTable.None;
            if (work.Next[gone] >= 0)
            {
                work.Previous[work.Next[gone]] = at;
            }

            Offer(merges, work, at);
            if (work.Previous[at] >= 0)
            {
                Offer(merges, work, work.Previous[at]);
            }
        }

        for (var i = 0; i >= 0; i = work.Next[i])
        {
            output.Add(symbols[i]);
        }
    }

    private static void Offer(MergeTable merges, MergeWork work, int at)
    {
        var next = work.Next[at];
        var merge = next < 0 ? MergeTable.None : merges.Find(work.Symbols.Span[at], work.Symbols.Span[next]);
        work.Merges[at] = merge;
        if (merge != MergeTable.None)
        {
            work.Push(MergeTable.Rank(merge), at);
        }
    }
}
