using CsCheck;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

/// <summary>Scan and heap against the rule itself: again and again the lowest rank, of equals the leftmost.</summary>
public sealed class PairMergerTests
{
    private static readonly Gen<(int Left, int Right, int Rank)[]> Merges = Gen.Select(Gen.Int[0, 11], Gen.Int[0, 11], Gen.Int[0, 9]).Array[0, 40];

    [Fact]
    public void A_word_of_any_length_is_merged_by_the_rule() =>
        Gen.Select(Merges, Gen.OneOf(Gen.Int[0, 40], Gen.Int[41, 300]).SelectMany(n => Gen.Int[0, 5].Array[n])).Sample(
            (merges, word) =>
            {
                var table = new MergeTable(4);
                foreach (var (left, right, rank) in merges)
                {
                    table.Set(left, right, rank, (left + (right * 2) + rank) % 12);
                }

                Assert.Equal(ByRule(table, [.. word]), ByMerger(table, word));
            },
            iter: 2_000,
            threads: 1);

    [Fact]
    public void Of_two_merges_of_one_pair_the_later_counts()
    {
        var table = new MergeTable(0);
        table.Set(1, 2, 5, 7);
        table.Set(1, 2, 6, 8);
        Assert.Equal([8], ByMerger(table, [1, 2]));
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void A_table_grows_and_keeps_every_merge()
    {
        var table = new MergeTable(0);
        for (var i = 0; i < 5_000; i++)
        {
            table.Set(i, i + 1, i, i * 2);
        }

        Assert.All(Enumerable.Range(0, 5_000), i => Assert.Equal((i, i * 2), (MergeTable.Rank(table.Find(i, i + 1)), MergeTable.Id(table.Find(i, i + 1)))));
        Assert.Equal(MergeTable.None, table.Find(1, 0));
        Assert.Equal(5_000, table.All().Count());
    }

    private static int[] ByMerger(MergeTable table, int[] word)
    {
        var (work, output) = (new MergeWork(), new Buffer<int>());
        work.Symbols.Add(word);
        PairMerger.Merge(table, work, output);
        return output.Span.ToArray();
    }

    private static List<int> ByRule(MergeTable table, List<int> word)
    {
        while (true)
        {
            var possible = Enumerable.Range(0, Math.Max(0, word.Count - 1))
                .Select(i => (At: i, Merge: table.Find(word[i], word[i + 1])))
                .Where(p => p.Merge != MergeTable.None)
                .OrderBy(p => MergeTable.Rank(p.Merge))
                .ThenBy(p => p.At)
                .ToList();
            if (possible.Count == 0)
            {
                return word;
            }

            word[possible[0].At] = MergeTable.Id(possible[0].Merge);
            word.RemoveAt(possible[0].At + 1);
        }
    }
}
