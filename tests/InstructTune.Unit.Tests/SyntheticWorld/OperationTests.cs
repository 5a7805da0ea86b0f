using InstructTune.SyntheticWorld;
using InstructTune.SyntheticWorld.Language;
using InstructTune.SyntheticWorld.Operations;

namespace InstructTune.Unit.Tests.SyntheticWorld;

/// <summary>Every row answers its question: checked by solving it again from the words alone.</summary>
public sealed class OperationTests
{
    private static readonly FactTable Facts = new(World.BaseSeed);

    public static TheoryData<string> Operations => [.. All.Select(Key).Distinct()];

    private static IEnumerable<Operation> All => PositionOperations.All.Concat(MeaningOperations.All);

    [Fact]
    public void There_are_twelve_operations_and_four_formats()
    {
        Assert.True(All.Select(o => o.Name).Distinct().Count() >= 12);
        Assert.Equal(4, All.Select(o => o.Format).Distinct().Count());
        Assert.Equal(All.Count(), All.Select(Key).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Each_has_at_least_twenty_wordings_all_different(string key) =>
        Assert.True(All.Single(o => Key(o) == key).Phrasings.Distinct().Count() >= 20);

    [Theory]
    [MemberData(nameof(Operations))]
    public void Each_answer_is_right(string key)
    {
        var operation = All.Single(o => Key(o) == key);
        var random = new WorldRandom(7, key);
        for (var i = 0; i < 300; i++)
        {
            var domain = random.Pick(Lexicon.Domains);
            var row = operation.MakeRow(domain, Facts, random);

            Assert.Equal(Solve(key, domain, row.Input), row.Output);
            Assert.True(row.Choices.Count == 0 || row.Choices.Contains(row.Output));
        }
    }

    [Theory]
    [InlineData("majority_Label", 4)]
    [InlineData("compare_YesNo", 2)]
    [InlineData("membership_YesNo", 2)]
    public void Labels_are_balanced(string key, int labelCount)
    {
        var operation = All.Single(o => Key(o) == key);
        var random = new WorldRandom(7, key);

        var counts = Enumerable.Range(0, 4000).Select(_ => operation.MakeRow(Lexicon.Domains[0], Facts, random).Output).CountBy(o => o).ToList();

        // Five standard deviations of a share of 1/4 or 1/2 in 4,000 rows are at most 160 rows.
        Assert.All(counts, c => Assert.InRange(c.Value, (4000 / labelCount) - 160, (4000 / labelCount) + 160));
        Assert.Equal(labelCount, counts.Count);
    }

    private static string Solve(string key, Domain domain, string input)
    {
        string[] parts = input.Split("list: ");
        string[] words = parts[^1].Split(", ");
        var head = parts[0].Replace("the ", "", StringComparison.Ordinal).Replace(" in ", "", StringComparison.Ordinal);
        string KindOf(string word) => domain.KindOf(word).Name;
        string Majority() => words.GroupBy(KindOf).MaxBy(g => g.Count())!.Key;
        return key switch
        {
            "copy_List" => parts[^1],
            "reverse_List" => string.Join(", ", Enumerable.Reverse(words)),
            "first_Span" => words[0],
            "last_Span" => words[^1],
            "sort_List" => string.Join(", ", words.Order(StringComparer.Ordinal)),
            "count_Label" => new[] { "one", "two", "three", "four", "five", "six" }[words.Length - 1],
            "membership_YesNo" => words.Contains(head) ? "yes" : "no",
            "majority_Label" => Majority(),
            "majority_YesNo" => Majority() == head ? "yes" : "no",
            "classify_Label" => KindOf(head),
            "compare_YesNo" => KindOf(words[0]) == KindOf(words[1]) ? "yes" : "no",
            "compare_Label" => KindOf(words[0]) == KindOf(words[1]) ? "same" : "different",
            "map_Label" => Facts.ColourOf(head),
            "negate_Span" => input.Replace(" is ", " is not ", StringComparison.Ordinal),
            "filter_List" => string.Join(", ", words.Where(w => KindOf(w) == head)),
            _ => throw new ArgumentException($"the test cannot solve {key}", nameof(key)),
        };
    }

    private static string Key(Operation operation) => $"{operation.Name}_{operation.Format}";
}
