namespace InstructTune.Modeling.Training;

/// <summary>
/// Which examples share a row: best fit, longest first. Pure, so that a plan is known before the first step and a position in it is an index.
/// </summary>
public static class PackingPlan
{
    /// <summary>Examples that are packed together; bounds the work, which grows with the number of open rows.</summary>
    public const int WindowExamples = 8192;

    /// <summary>
    /// Rows of indices into <paramref name="lengths"/>, each index once, in the order in which they stand in the row. Each example goes to the
    /// fullest row that still has room for it, else to a new one; of equal lengths the first example, of equal rows the first.
    /// </summary>
    /// <param name="lengths">Tokens of each example.</param>
    /// <param name="capacityTokens">Tokens of a row.</param>
    /// <exception cref="ArgumentOutOfRangeException">An example is longer than a row.</exception>
    public static IReadOnlyList<int[]> Of(IReadOnlyList<int> lengths, int capacityTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityTokens, 1);
        var rows = new List<int[]>();
        for (var start = 0; start < lengths.Count; start += WindowExamples)
        {
            rows.AddRange(Pack(lengths, start, Math.Min(start + WindowExamples, lengths.Count), capacityTokens));
        }

        return rows;
    }

    private static IEnumerable<int[]> Pack(IReadOnlyList<int> lengths, int start, int end, int capacity)
    {
        var rows = new List<List<int>>();
        var room = new SortedSet<(int Left, int Row)>();
        foreach (var example in Enumerable.Range(start, end - start).OrderByDescending(index => lengths[index]))
        {
            var length = lengths[example];
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, capacity, nameof(lengths));
            var fits = room.GetViewBetween((length, 0), (capacity, int.MaxValue));
            var (left, row) = fits.Count > 0 ? fits.Min : (capacity, rows.Count);
            if (row == rows.Count)
            {
                rows.Add([]);
            }

            rows[row].Add(example);
            room.Remove((left, row));
            room.Add((left - length, row));
        }

        return rows.Select(row => row.ToArray());
    }
}
