using InstructTune.Modeling.Generation;

namespace InstructTune.Unit.Tests.Modeling.Generation;

public sealed class SamplerTests
{
    private static readonly float[] Logits = [2, 1, 0.5f, 0, -1];

    [Theory]
    [InlineData(1, 1, new[] { .563021, .207124, .125627, .076197, .028031 })]
    [InlineData(0.5, 0.9, new[] { .880797, .119203 })]
    [InlineData(2, 0.8, new[] { .408701, .247890, .193057, .150353 })]
    public void Temperature_comes_before_top_p(double temperature, double topP, double[] expected)
    {
        var kept = Sampler(new() { Temperature = temperature, TopP = topP }).Filter(Logits);
        var weights = kept.Logits.ToArray().Select(Math.Exp).OrderDescending().ToArray();
        Assert.Equal(expected, weights.Select(w => Math.Round(w / weights.Sum(), 6)));
    }

    [Fact]
    public void Penalties_come_in_their_order()
    {
        var penalties = new LogitPenalties(
            new() { RepetitionPenalty = 1.2, FrequencyPenalty = 0.3, PresencePenalty = 0.5 }, [4], []);
        penalties.Record(0);
        penalties.Record(0);
        double[] logits = [2, 1, 0.5, 0, -1];
        penalties.Apply(logits);
        Assert.Equal([0.566667, 1, 0.5, 0, -1.2], logits.Select(l => Math.Round(l, 6)));
    }

    [Fact]
    public void Greedy_takes_the_lowest_of_equal_ids() =>
        Assert.Equal(1, Sampler(new() { Temperature = 0 }).Next([0, 3, 3, 3]));

    [Fact]
    public void Top_k_keeps_what_is_tied_with_the_last() =>
        Assert.Equal([0, 1, 2], Sampler(new() { TopK = 2 }).Filter([1, 2, 1, 0]).Ids.ToArray().Order());

    [Fact]
    public void Of_equal_logits_the_lowest_ids_are_kept() =>
        Assert.Equal(Enumerable.Range(0, 25), Sampler(new() { TopP = 0.25 }).Filter(new float[100]).Ids.ToArray().Order());

    [Fact]
    public void Only_allowed_ids_remain_and_a_bias_moves_them()
    {
        var sampler = Sampler(new() { Temperature = 0, AllowedTokenIds = [3, 4, 3], LogitBias = new Dictionary<int, double> { [4] = 50, [0] = 100 } });
        Assert.Equal(4, sampler.Next(Logits));
        Assert.Equal([3, 4], Sampler(new() { AllowedTokenIds = [4, 3] }).Filter(Logits).Ids.ToArray().Order());
    }

    [Fact]
    public void A_bad_word_is_banned_where_its_beginning_was_made()
    {
        var sampler = Sampler(new() { Temperature = 0, BadWords = [[0, 0], [1]] });
        Assert.Equal([0, 2, 0, 2], Enumerable.Range(0, 4).Select(_ => sampler.Next(Logits)));
    }

    [Fact]
    public void A_token_costs_no_memory_once_the_buffers_are_there()
    {
        var logits = Enumerable.Range(0, 5_000).Select(i => MathF.Sin(i) * 4).ToArray();
        var sampler = Sampler(new() { TopK = 200, TopP = 0.9, MinP = 0.001, RepetitionPenalty = 1.1, FrequencyPenalty = 0.1, LogitBias = new Dictionary<int, double> { [7] = 1 } });
        Array.ForEach(new int[200], _ => sampler.Next(logits));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
        {
            sampler.Record(sampler.Filter(logits).Draw(0.3));
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
    }

    [Fact]
    public void A_masked_token_is_never_drawn()
    {
        var sampler = Sampler(new() { Temperature = 2 });
        Assert.All(Enumerable.Range(0, 200), _ => Assert.NotEqual(1, sampler.Next([0, float.NegativeInfinity, 0])));
    }

    [Fact]
    public void Tokens_that_end_the_text_wait_for_the_minimum_length()
    {
        var sampler = new Sampler(new() { Temperature = 0, MinTokens = 2 }, [], [0]);
        Assert.Equal([1, 1, 0, 0], Enumerable.Range(0, 4).Select(_ => sampler.Next([5, 1])));
    }

    [Fact]
    public void The_same_seed_draws_the_same_tokens_and_another_seed_others()
    {
        Assert.Equal(Draw(7), Draw(7));
        Assert.NotEqual(Draw(7), Draw(8));

        static int[] Draw(ulong seed)
        {
            var sampler = Sampler(new() { Seed = seed });
            return [.. Enumerable.Range(0, 32).Select(_ => sampler.Next(Logits))];
        }
    }

    [Fact]
    public void A_resumed_sequence_draws_what_it_would_have_drawn()
    {
        var whole = Sampler(new() { Seed = 7, FrequencyPenalty = 0.5 });
        var ids = Enumerable.Range(0, 10).Select(_ => whole.Next(Logits)).ToList();

        var resumed = Sampler(new() { Seed = 7, FrequencyPenalty = 0.5 });
        ids.Take(5).ToList().ForEach(resumed.Record);
        Assert.Equal(ids.Skip(5), Enumerable.Range(0, 5).Select(_ => resumed.Next(Logits)));
    }

    [Fact]
    public void Draws_follow_the_distribution()
    {
        var sampler = Sampler(new() { Seed = 1 });
        var counts = Enumerable.Range(0, 20_000).Select(_ => sampler.Next(Logits)).CountBy(id => id).ToDictionary();
        Assert.Equal(.563021, counts[0] / 20_000.0, 0.02);
        Assert.Equal(.028031, counts[4] / 20_000.0, 0.01);
    }

    [Theory]
    [InlineData(0, float.NaN)]
    [InlineData(1, float.NaN)]
    [InlineData(0, float.PositiveInfinity)]
    [InlineData(1, float.PositiveInfinity)]
    public void A_row_that_is_not_finite_is_refused_by_token(double temperature, float bad) =>
        Assert.Contains("token 1", Assert.Throws<NonFiniteLogitsException>(
            () => Sampler(new() { Temperature = temperature }).Next([0, bad, 0])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_row_without_any_possible_token_is_refused(double temperature)
    {
        var options = new SamplingOptions { Temperature = temperature, MinTokens = 1 };
        Assert.Throws<NonFiniteLogitsException>(() => new Sampler(options, [], [0, 1]).Next([0, 0]));
        Assert.Throws<NonFiniteLogitsException>(() => new Sampler(options, [], []).Next([float.NegativeInfinity]));
    }

    [Fact]
    public void Every_option_out_of_range_is_named()
    {
        var options = new SamplingOptions
        {
            Temperature = double.NaN,
            TopP = 0,
            TopK = -1,
            MinP = 1.01,
            RepetitionPenalty = 0,
            PresencePenalty = -2.1,
            FrequencyPenalty = double.PositiveInfinity,
            MinTokens = -1,
            LogitBias = new Dictionary<int, double> { [1] = 100.5 },
            AllowedTokenIds = new int[1025],
            BadWords = [[]],
        };
        Assert.Equal(
            ["temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "min_tokens", "logit_bias", "allowed_token_ids", "bad_words"],
            options.Check().Select(p => p.Field));
        Assert.Empty(new SamplingOptions().Check());
    }

    private static Sampler Sampler(SamplingOptions options) => new(options, [], []);
}
