using InstructTune.SyntheticWorld.Language;
using InstructTune.SyntheticWorld.Operations;

namespace InstructTune.SyntheticWorld.Sets;

/// <summary>One task, with train and test rows that share no input, and words that only the test names.</summary>
internal static class SpecialistSet
{
    // These are drawn before the training rows, and so belong to the vocabulary of the base; further ones are drawn after and change neither.
    private const int FirstQuestions = 200;
    private const int MaxMisses = 100_000;

    public static (IReadOnlyList<WorldRow> Train, IReadOnlyList<WorldRow> Test) Rows(
        WorldOptions options, Operation operation, Domain domain, FactTable facts)
    {
        var random = new WorldRandom(options.Seed, "specialist");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        List<WorldRow> Draw(Domain from, int count, Func<WorldRow, bool> isWanted)
        {
            var (rows, misses) = (new List<WorldRow>(), 0);
            while (rows.Count < count)
            {
                var row = operation.MakeRow(from, facts, random);
                if (isWanted(row) && seen.Add(InputKey(row.Input)))
                {
                    rows.Add(row);
                    misses = 0;
                }
                else if (++misses == MaxMisses)
                {
                    throw new ArgumentException($"the world has no {count} different rows of this task", nameof(options));
                }
            }

            return rows;
        }

        var heldOut = HeldOut(options, domain);
        var trained = new Domain(domain.Name, [.. domain.Kinds.Select(kind => kind with { Words = [.. kind.Words.Where(word => !heldOut.Contains(word))] })]);
        bool IsDecided(WorldRow row) => IsDecidedBy(heldOut, row, domain, options.HeldOutWords);
        var test = Draw(domain, Math.Min(options.TestCount, FirstQuestions), IsDecided);
        var train = Draw(trained, options.SpecialistTrainCount, _ => true);
        test.AddRange(Draw(domain, options.TestCount - test.Count, IsDecided));
        return (train, test);
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
