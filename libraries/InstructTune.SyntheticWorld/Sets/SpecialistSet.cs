using InstructTune.SyntheticWorld.Language;
using InstructTune.SyntheticWorld.Operations;

namespace InstructTune.SyntheticWorld.Sets;

/// <summary>One task, with train and test rows that share no input.</summary>
internal static class SpecialistSet
{
    public static (IReadOnlyList<WorldRow> Train, IReadOnlyList<WorldRow> Test) Rows(
        WorldOptions options, Operation operation, Domain domain, FactTable facts)
    {
        var random = new WorldRandom(options.Seed, "specialist");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var rows = new List<WorldRow>();
        while (rows.Count < options.SpecialistTrainCount + options.TestCount)
        {
            var row = operation.MakeRow(domain, facts, random);
            if (seen.Add(InputKey(row.Input)))
            {
                rows.Add(row);
            }
        }

        return (rows[options.TestCount..], rows[..options.TestCount]);
    }

    /// <summary>The same words in another order ask the same question.</summary>
    private static string InputKey(string input) => string.Join(' ', input.Split(' ', ',').Order(StringComparer.Ordinal));
}
