namespace InstructTune.Cli.Specs;

/// <summary>Finds what was probably meant.</summary>
internal static class Spelling
{
    // One slip in four letters: more than that is another word.
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        var best = known.Select(name => (Name: name, Distance: Distance(word, name))).MinBy(pair => pair.Distance);
        return best.Name is not null && best.Distance <= Math.Max(1, best.Name.Length / 4) ? best.Name : null;
    }

    internal static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
