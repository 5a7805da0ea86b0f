using InstructTune.Metrics.Statistics;

namespace InstructTune.Unit.Tests.Metrics.Parity;

/// <summary>Intervals, tests and quantiles against scipy and statsmodels.</summary>
public sealed class StatisticsParityTests
{
    [Fact]
    public void Wilson_intervals_equal_those_of_statsmodels()
    {
        foreach (var row in ReferenceFolder.Rows("statistics/proportion_intervals.jsonl"))
        {
            var interval = ScoreInterval.Wilson((long)row.Number("k"), (long)row.Number("n"), 1 - row.Number("alpha"));
            var expected = row.GetProperty("wilson").Numbers();
            ReferenceFolder.AssertClose(expected[0], interval.Lower, 1e-12, 1e-15, $"lower of {row}");
            ReferenceFolder.AssertClose(expected[1], interval.Upper, 1e-12, 1e-15, $"upper of {row}");
        }
    }

    [Fact]
    public void Exact_mcnemar_equals_the_binomial_test()
    {
        foreach (var row in ReferenceFolder.Rows("statistics/mcnemar.jsonl"))
        {
            var p = McNemar.ExactP((long)row.Number("b"), (long)row.Number("c"));
            ReferenceFolder.AssertClose(row.Number("exact_p"), p, 1e-10, 0, $"p of {row}");
        }
    }

    [Fact]
    public void Intervals_of_paired_differences_equal_those_of_scipy()
    {
        foreach (var row in ReferenceFolder.Rows("statistics/paired_tests.jsonl"))
        {
            var differences = row.GetProperty("a").Numbers().Zip(row.GetProperty("b").Numbers(), (a, b) => a - b).ToArray();
            AssertInterval(row.GetProperty("t").GetProperty("ci95").Numbers(), ScoreInterval.OfMean(differences, 0.95));
            AssertInterval(row.GetProperty("t").GetProperty("ci90").Numbers(), ScoreInterval.OfMean(differences, 0.90));
        }
    }

    [Fact]
    public void Sign_flips_count_the_patterns_that_enumeration_counts()
    {
        foreach (var row in ReferenceFolder.Rows("statistics/sign_flip.jsonl"))
        {
            var thousandths = row.GetProperty("thousandths").Numbers();
            Assert.Equal(row.Number("p_two_sided"), SignFlip.PValue(thousandths, seed: 0), 1e-15);
            Assert.Equal(row.Number("p_two_sided"), SignFlip.PValue([.. thousandths.Select(value => value / 1000)], seed: 0), 1e-15);
        }
    }

    [Fact]
    public void Adjusted_p_values_equal_those_of_statsmodels()
    {
        foreach (var row in ReferenceFolder.Rows("statistics/multiple_comparisons.jsonl"))
        {
            var expected = row.GetProperty("fdr_bh").GetProperty("adjusted").Numbers();
            var adjusted = BenjaminiHochberg.Adjust(row.GetProperty("p").Numbers());
            Assert.Equal(expected.Length, adjusted.Length);
            for (var i = 0; i < expected.Length; i++)
            {
                ReferenceFolder.AssertClose(expected[i], adjusted[i], 1e-12, 0, $"entry {i} of {row}");
            }
        }
    }

    [Fact]
    public void Quantiles_of_normal_and_student_equal_those_of_scipy()
    {
        foreach (var row in ReferenceFolder.Rows("statistics/distributions.jsonl").Where(row => row.TryGetProperty("ppf", out _)))
        {
            var quantile = row.Text("dist") switch
            {
                "normal" => NormalDistribution.Quantile(row.Number("p")),
                "t" => StudentDistribution.Quantile(row.Number("p"), row.Number("df")),
                _ => double.NaN,
            };
            if (!double.IsNaN(quantile))
            {
                ReferenceFolder.AssertClose(row.Number("ppf"), quantile, 1e-9, 1e-14, row.ToString());
            }
        }
    }

    [Fact]
    public void Tails_of_student_equal_those_of_scipy()
    {
        foreach (var row in ReferenceFolder.Rows("statistics/distributions.jsonl").Where(row => row.Text("dist") == "t" && row.TryGetProperty("sf", out _)))
        {
            var tail = StudentDistribution.UpperTail(row.Number("x"), row.Number("df"));
            ReferenceFolder.AssertClose(row.Number("sf"), tail, 1e-10, row.Number("sf") > 1 - 1e-12 ? 1e-14 : 0, row.ToString());
        }
    }

    private static void AssertInterval(double[] expected, Interval actual)
    {
        // The paired t interval is a difference of two numbers: near 0 it keeps the digits of the larger.
        var scale = Math.Max(Math.Abs(expected[0]), Math.Abs(expected[1]));
        ReferenceFolder.AssertClose(expected[0], actual.Lower, 1e-9, 1e-10 * scale, "lower");
        ReferenceFolder.AssertClose(expected[1], actual.Upper, 1e-9, 1e-10 * scale, "upper");
    }
}
