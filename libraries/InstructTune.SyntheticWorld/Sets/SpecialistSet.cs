using InstructTune.SyntheticWorld.Language;
using InstructTune.SyntheticWorld.Operations;

namespace InstructTune.SyntheticWorld.Sets;

/// <summary>One task, with train and test rows that share no input, and words that only the test names.</summary>
internal static class SpecialistSet
{
    public static (IReadOnlyList<WorldRow> Train, IReadOnlyList<WorldRow> Test) Rows(
        WorldOptions options, Operation operation, Domain domain, FactTable facts)
    {
        var random = new WorldRandom(options.Seed, "specialist");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        List<WorldRow> Draw(Domain from, int count, Func<WorldRow, bool> isWanted)
        {
            var rows = new List<WorldRow>();
            while (rows.Count < count)
            {
                var row = operation.MakeRow(from, facts, random);
                if (isWanted(row) && seen.Add(InputKey(row.Input)))
                {
                    rows.Add(row);
                }
            }

            return rows;
        }

        var heldOut = HeldOut(options, domain);
        var trained = new Domain(domain.Name, [.. domain.Kinds.Select(kind => kind with { Words = [.. kind.Words.Where(word => !heldOut.Contains(word))] })]);
        var test = Draw(domain, options.TestCount, row => IsDecidedBy(heldOut, row, domain, options.HeldOutWords));
        return (Draw(trained, options.SpecialistTrainCount, _ => true), test);
    }

    private static HashSet<string> HeldOut(WorldOptions options, Domain domain)
    {
        var random = new WorldRandom(options.Seed, "held-out words");
        return [.. domain.Kinds.SelectMany(kind => random.Draw(kind.Words, options.HeldOutWords))];
    }

    // All the held-out words of the kind that is the answer are in the list.
    private static bool IsDecidedBy(HashSet<string> heldOut, WorldRow row, Domain domain, int count)
    {
        var answer = domain.Kinds.First(kind => kind.Name == row.Output);
        return row.Input.Split(' ', ',').Count(word => heldOut.Contains(word) && answer.Words.Contains(word)) >= count;
    }

    /// <summary>The same words in another order ask the same question.</summary>
    private static string InputKey(string input) => string.Join(' ', input.Split(' ', ',').Order(StringComparer.Ordinal));
}
