using System.Globalization;
using InstructTune.Modeling.Generation;

namespace InstructTune.Unit.Tests.Modeling.Generation;

/// <summary>
/// Chi-square tests of what is drawn, over seeds or over places in one output. A hundred thousand draws here, a million by eng/run chi-square. Nothing is
/// random: the seeds are fixed.
/// </summary>
public sealed class DrawDistributionTests
{
    // A sound sampler exceeds this once in ten thousand settings.
    private const double Limit = 3.72;

    private static readonly int Draws =
        int.Parse(Environment.GetEnvironmentVariable("INSTRUCTTUNE_DRAWS") ?? "100000", CultureInfo.InvariantCulture);

    private static readonly float[] Logits = [.. Enumerable.Range(0, 64).Select(i => (float)(Math.Sin(i * 1.7) * 2.5))];

    public static TheoryData<string, SamplingOptions> Settings => new()
    {
        { "plain", new() },
        { "cold", new() { Temperature = 0.6 } },
        { "hot", new() { Temperature = 1.8 } },
        { "top-k", new() { TopK = 10 } },
        { "top-p", new() { TopP = 0.8 } },
        { "min-p", new() { MinP = 0.1 } },
        { "repetition", new() { RepetitionPenalty = 1.3 } },
        { "bias", new() { LogitBias = new Dictionary<int, double> { [3] = 2, [40] = -5 } } },
        { "allowed", new() { AllowedTokenIds = [1, 2, 3, 5, 8, 13, 21, 34, 55] } },
        { "everything", new() { Temperature = 0.9, TopK = 30, TopP = 0.95, MinP = 0.01, RepetitionPenalty = 1.1, LogitBias = new Dictionary<int, double> { [9] = 1 } } },
    };

    [Theory]
    [MemberData(nameof(Settings), DisableDiscoveryEnumeration = true)]
    public void Draws_over_seeds_follow_the_distribution(string name, SamplingOptions options)
    {
        var counts = new int[Logits.Length];
        for (var seed = 0; seed < Draws; seed++)
        {
            counts[new Sampler(options with { Seed = (ulong)seed }, [0, 5, 7], []).Next(Logits)]++;
        }

        Assert.True(Deviation(counts, Expected(options)) < Limit, $"{name}: {Deviation(counts, Expected(options)):F2} standard deviations");
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    public void Draws_along_one_output_follow_the_distribution(uint choice)
    {
        var options = new SamplingOptions { Temperature = 0.8, TopP = 0.9, Seed = 11 };
        var counts = new int[Logits.Length];
        var sampler = new Sampler(options, [], [], choice);
        for (var i = 0; i < Draws; i++)
        {
            counts[sampler.Next(Logits)]++;
        }

        Assert.InRange(Deviation(counts, Expected(options)), -10, Limit);
    }

    [Fact]
    public void A_temperature_that_is_a_tenth_off_would_be_noticed()
    {
        var counts = new int[Logits.Length];
        var sampler = new Sampler(new() { Temperature = 1.1, Seed = 1 }, [], []);
        for (var i = 0; i < Draws; i++)
        {
            counts[sampler.Next(Logits)]++;
        }

        Assert.True(Deviation(counts, Expected(new())) > Limit);
    }

    // The chain of serving.md 3.2 once more, by sorting.
    private static double[] Expected(SamplingOptions options)
    {
        var logits = Logits.Select((logit, id) => options.AllowedTokenIds.Count == 0 || options.AllowedTokenIds.Contains(id) ? logit : double.NegativeInfinity).ToArray();
        foreach (var (id, bias) in options.LogitBias)
        {
            logits[id] += bias;
        }

        foreach (var id in options.RepetitionPenalty == 1 ? [] : (int[])[0, 5, 7])
        {
            logits[id] = logits[id] > 0 ? logits[id] / options.RepetitionPenalty : logits[id] * options.RepetitionPenalty;
        }

        var weights = logits.Select((logit, id) => (Id: id, Weight: Math.Exp(logit / options.Temperature))).OrderByDescending(t => t.Weight).ToList();
        weights = [.. weights.Where(t => t.Weight >= options.MinP * weights[0].Weight)];
        weights = options.TopK == 0 ? weights : [.. weights.Take(options.TopK)];
        var (kept, sum, needed) = (new double[logits.Length], 0.0, options.TopP * weights.Sum(t => t.Weight));
        foreach (var (id, weight) in weights.TakeWhile(_ => sum < needed))
        {
            kept[id] = weight;
            sum += weight;
        }

        return [.. kept.Select(w => w / sum)];
    }

    // Wilson and Hilferty: chi-square as a normal deviate. Cells below five expected draws are joined.
    private static double Deviation(int[] counts, double[] expected)
    {
        var total = (double)counts.Sum();
        Assert.All(counts.Zip(expected), p => Assert.False(p.First > 0 && p.Second == 0, "a token that was filtered out was drawn"));
        var cells = counts.Zip(expected, (count, share) => (Count: (double)count, Share: share * total)).Where(c => c.Share >= 5).ToList();
        var rest = (Count: total - cells.Sum(c => c.Count), Share: total - cells.Sum(c => c.Share));
        if (rest.Share >= 1)
        {
            cells.Add(rest);
        }

        var (chi, degrees) = (cells.Sum(c => Math.Pow(c.Count - c.Share, 2) / c.Share), cells.Count - 1.0);
        var spread = 2 / (9 * degrees);
        return (Math.Cbrt(chi / degrees) - (1 - spread)) / Math.Sqrt(spread);
    }
}
