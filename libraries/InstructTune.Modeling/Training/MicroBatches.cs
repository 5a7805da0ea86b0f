namespace InstructTune.Modeling.Training;

/// <summary>Cuts the rows of an optimizer step into forward passes. The cut never changes the loss, only memory and speed.</summary>
public static class MicroBatches
{
    /// <summary>
    /// Longest rows first, so that rows of like length share a pass and little is padded; at most <paramref name="maxRows"/> rows and
    /// <paramref name="maxTokens"/> tokens (padding included) a pass, but always one row.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<TokenizedExample>> Cut(IEnumerable<TokenizedExample> rows, int maxRows, long maxTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        var passes = new List<IReadOnlyList<TokenizedExample>>();
        var pass = new List<TokenizedExample>();
        foreach (var row in rows.OrderByDescending(row => row.Ids.Length))
        {
            if (pass.Count > 0 && (pass.Count == maxRows || (long)(pass.Count + 1) * pass[0].Ids.Length > maxTokens))
            {
                passes.Add(pass);
                pass = [];
            }

            pass.Add(row);
        }

        if (pass.Count > 0)
        {
            passes.Add(pass);
        }

        return passes;
    }
}
