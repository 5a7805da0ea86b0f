using CsCheck;
using InstructTune.Modeling.Generation;

namespace InstructTune.Unit.Tests.Modeling.Generation;

public sealed class LogitScanTests
{
    // Few values, so that many are equal, and now and then one that is no number.
    private static readonly Gen<float> _logit = Gen.Frequency(
        (60, Gen.Int[-3, 3].Select(value => value / 2f)), (2, Gen.OneOf(-0f, float.NegativeInfinity, float.MaxValue)),
        (1, Gen.OneOf(float.NaN, float.PositiveInfinity)));

    [Fact]
    public void The_best_is_the_first_of_the_greatest_and_what_is_no_number_is_named() => _logit.Array[1, 70].Sample(logits_V =>
    {
        var broken = Array.FindIndex(logits_V, logit => !(logit <= float.MaxValue));
        if (broken >= 0)
        {
            var refusal = Assert.Throws<NonFiniteLogitsException>(() => LogitScan.IndexOfBest(logits_V));
            Assert.Equal($"The logit of token {broken} is {logits_V[broken]}.", refusal.Message);
            return;
        }
        Assert.Equal(Array.IndexOf(logits_V, logits_V.Max()), LogitScan.IndexOfBest(logits_V));
    });

    [Fact]
    public void With_and_without_a_penalty_that_does_nothing_the_token_is_the_same() => _logit.Array[1, 70].Where(logits_V => logits_V.All(float.IsFinite)).Sample(logits_V =>
    {
        var plain = new Sampler(new SamplingOptions { Temperature = 0 }, [], []);
        var biased = new Sampler(new SamplingOptions { Temperature = 0, LogitBias = new Dictionary<int, double> { [0] = 0 } }, [], []);
        Assert.Equal(biased.Next(logits_V), plain.Next(logits_V));
    });
}
