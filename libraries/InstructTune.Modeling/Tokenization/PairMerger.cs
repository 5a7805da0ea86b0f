namespace InstructTune.Modeling.Tokenization;

/// <summary>Applies merges to one word: lowest rank first, among equals the leftmost.</summary>
internal static class PairMerger
{
    // Below this many symbols a scan beats the queue.
    private const int ShortWord = 24;

    public static void Merge(Vocabulary vocabulary, Span<int> ids, List<int> output)
    {
        if (ids.Length <= ShortWord)
        {
            MergeByScan(vocabulary, ids, output);
        }
        else
        {
            MergeByQueue(vocabulary, ids, output);
        }
    }

    private static void MergeByScan(Vocabulary vocabulary, Span<int> ids, List<int> output)
    {
        while (ids.Length > 1)
        {
            var (best, at) = (new Merge(int.MaxValue, -1), -1);
            for (var i = 0; i + 1 < ids.Length; i++)
            {
                if (vocabulary.TryMerge(ids[i], ids[i + 1], out var merge) && merge.Rank < best.Rank)
                {
                    (best, at) = (merge, i);
                }
            }

            if (at < 0)
            {
                break;
            }

            ids[at] = best.Id;
            ids[(at + 2)..].CopyTo(ids[(at + 1)..]);
            ids = ids[..^1];
        }

        foreach (var id in ids)
        {
            output.Add(id);
        }
    }

    private static void MergeByQueue(Vocabulary vocabulary, Span<int> ids, List<int> output)
    {
        var symbols = new LinkedSymbols(ids);
        var queue = new PriorityQueue<Candidate, (int Rank, int At)>();
        for (var i = 0; i + 1 < ids.Length; i++)
        {
            Offer(i);
        }

        while (queue.TryDequeue(out var candidate, out _))
        {
            if (!symbols.Holds(candidate))
            {
                continue;
            }

            symbols.Join(candidate);
            Offer(symbols.Previous[candidate.At]);
            Offer(candidate.At);
        }

        for (var i = 0; i >= 0; i = symbols.Next[i])
        {
            output.Add(symbols.Ids[i]);
        }

        void Offer(int at)
        {
            if (at >= 0 && symbols.Next[at] is >= 0 and var right && vocabulary.TryMerge(symbols.Ids[at], symbols.Ids[right], out var merge))
            {
                queue.Enqueue(new(at, symbols.Ids[at], symbols.Ids[right], merge.Id), (merge.Rank, at));
            }
        }
    }

    private readonly record struct Candidate(int At, int Left, int Right, int Merged);

    private sealed class LinkedSymbols
    {
        public LinkedSymbols(Span<int> ids)
        {
            Ids = ids.ToArray();
            Previous = [.. Enumerable.Range(-1, ids.Length)];
            Next = [.. Enumerable.Range(1, ids.Length - 1), -1];
        }

        public int[] Ids { get; }

        public int[] Previous { get; }

        public int[] Next { get; }

        public bool Holds(Candidate candidate) =>
            Ids[candidate.At] == candidate.Left && Next[candidate.At] is >= 0 and var right && Ids[right] == candidate.Right;

        public void Join(Candidate candidate)
        {
            var gone = Next[candidate.At];
            Ids[candidate.At] = candidate.Merged;
            Ids[gone] = -1;
            Next[candidate.At] = Next[gone];
            if (Next[gone] >= 0)
            {
                Previous[Next[gone]] = candidate.At;
            }
        }
    }
}
