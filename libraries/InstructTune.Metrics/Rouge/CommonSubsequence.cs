namespace InstructTune.Metrics.Rouge;

/// <summary>Longest common subsequences, with the choice among equals that google's ROUGE makes.</summary>
internal static class CommonSubsequence
{
    public static int Length(List<string> reference, List<string> prediction)
    {
        if (reference.Count == 0 || prediction.Count == 0)
        {
            return 0;
        }
        var above = new int[prediction.Count + 1];
        var row = new int[prediction.Count + 1];
        foreach (var token in reference)
        {
            for (var j = 1; j <= prediction.Count; j++)
            {
                row[j] = token == prediction[j - 1] ? above[j - 1] + 1 : Math.Max(above[j], row[j - 1]);
            }
            (above, row) = (row, above);
        }
        return above[prediction.Count];
    }

    /// <summary>Ascending indices of the reference that lie in the subsequence with at least one of the predictions.</summary>
    public static SortedSet<int> UnionIndices(List<string> reference, List<List<string>> predictions)
    {
        var union = new SortedSet<int>();
        foreach (var prediction in predictions)
        {
            union.UnionWith(Indices(reference, prediction));
        }
        return union;
    }

    public static List<int> Indices(List<string> reference, List<string> prediction)
    {
        var lengths = Table(reference, prediction);
        var indices = new List<int>();
        var (i, j) = (reference.Count, prediction.Count);
        while (i > 0 && j > 0)
        {
            if (reference[i - 1] == prediction[j - 1])
            {
                indices.Add(i - 1);
                i--;
                j--;
            }
            else if (lengths[i, j - 1] > lengths[i - 1, j])
            {
                j--;
            }
            else
            {
                i--;
            }
        }
        indices.Reverse();
        return indices;
    }

    private static int[,] Table(List<string> reference, List<string> prediction)
    {
        var lengths = new int[reference.Count + 1, prediction.Count + 1];
        for (var i = 1; i <= reference.Count; i++)
        {
            for (var j = 1; j <= prediction.Count; j++)
            {
                lengths[i, j] = reference[i - 1] == prediction[j - 1]
                    ? lengths[i - 1, j - 1] + 1
                    : Math.Max(lengths[i - 1, j], lengths[i, j - 1]);
            }
        }
        return lengths;
    }
}
