using CsCheck;
using InstructTune.Modeling.Generation;

namespace InstructTune.Unit.Tests.Modeling.Generation;

/// <summary>Partitioning against sorting everything.</summary>
public sealed class CandidateSetTests
{
    // Few different values make many ties.
    private static readonly Gen<double[]> Logits = Gen.OneOf(
        Gen.Int[-3, 3].Select(i => i / 2.0).Array[1, 200],
        Gen.Double[-8, 8].Array[1, 200],
        Gen.Int[0, 9].Select(i => i == 0 ? double.NegativeInfinity : i).Array[1, 200]);

    [Fact]
    public void Every_filter_keeps_what_sorting_keeps() =>
        Gen.Select(Logits, Gen.Double[0.001, 1], Gen.Int[1, 220], Gen.Double[0.01, 0.999]).Sample(
            (logits, minP, topK, topP) =>
            {
                var candidates = new CandidateSet();
                candidates.Reset(logits);
                var sorted = Sorted(logits);
                Assert.Equal(sorted.Count, candidates.Count);
                if (sorted.Count == 0)
                {
                    return;
                }

                candidates.KeepMinP(minP);
                sorted = [.. sorted.Where(t => Math.Exp(t.Logit - sorted[0].Logit) >= minP)];
                AssertSame(sorted, candidates);
                candidates.KeepTopK(topK);
                sorted = [.. sorted.Where((t, i) => i < topK || t.Logit == sorted[topK - 1].Logit)];
                AssertSame(sorted, candidates);
                if (DistanceToCut(sorted, topP) > 1e-9)
                {
                    candidates.KeepTopP(topP);
                    AssertSame(Prefix(sorted, topP), candidates);
                }
            },
            iter: 3_000,
            threads: 1);

    [Fact]
    public void A_draw_takes_the_token_that_the_running_sum_reaches() =>
        Gen.Select(Logits, Gen.Double[0, 1]).Sample(
            (logits, uniform) =>
            {
                var sorted = Sorted(logits);
                if (sorted.Count > 0 && DistanceToCut(sorted, uniform) > 1e-9)
                {
                    var candidates = new CandidateSet();
                    candidates.Reset(logits);
                    Assert.Equal(Prefix(sorted, uniform)[^1].Id, candidates.Draw(uniform));
                }
            },
            iter: 5_000,
            threads: 1);

    private static List<(int Id, double Logit)> Sorted(double[] logits) =>
        [.. logits.Select((logit, id) => (id, logit)).Where(t => t.logit > double.NegativeInfinity).OrderByDescending(t => t.logit).ThenBy(t => t.id)];

    private static List<(int Id, double Logit)> Prefix(List<(int Id, double Logit)> sorted, double share)
    {
        var target = share * sorted.Sum(t => Math.Exp(t.Logit));
        var sum = 0.0;
        var count = 0;
        while (count < sorted.Count && (sum < target || count == 0))
        {
            sum += Math.Exp(sorted[count++].Logit);
        }

        return sorted[..count];
    }

    private static double DistanceToCut(List<(int Id, double Logit)> sorted, double share)
    {
        var (total, sum, least) = (sorted.Sum(t => Math.Exp(t.Logit)), 0.0, 1.0);
        foreach (var (_, logit) in sorted)
        {
            sum += Math.Exp(logit);
            least = Math.Min(least, Math.Abs((sum / total) - share));
        }

        return least;
    }

    private static void AssertSame(List<(int Id, double Logit)> expected, CandidateSet actual) =>
        Assert.Equal(expected.Select(t => t.Id).Order(), actual.Ids.ToArray().Order());
}
