using CsCheck;
using InstructTune.Testing.Load;

namespace InstructTune.Unit.Tests.Testing.Load;

public sealed class ArrivalTimesTests
{
    [Fact]
    public void Random_arrivals_come_in_order_and_the_last_when_the_rate_says() =>
        Gen.Select(Gen.Int[1, 200], Gen.Double[0.1, 1000], Gen.Int).Sample((count, perSecond, seed) =>
        {
            var times = ArrivalTimes.Poisson(count, perSecond, new Random(seed));

            Assert.Equal(count, times.Count);
            Assert.True(times[0] > TimeSpan.Zero);
            Assert.Equal(times.Order(), times);
            Assert.InRange(times[^1].TotalSeconds - (count / perSecond), -1e-6, 1e-6);
        });

    [Fact]
    public void Gaps_of_random_arrivals_scatter_as_much_as_they_are_long()
    {
        var times = ArrivalTimes.Poisson(20_000, 50, new Random(7));
        double[] gaps = [.. times.Zip(times.Skip(1), (before, after) => (after - before).TotalSeconds)];
        var mean = gaps.Average();
        var deviation = Math.Sqrt(gaps.Average(gap => (gap - mean) * (gap - mean)));

        Assert.InRange(mean, 0.0199, 0.0201);
        Assert.InRange(deviation / mean, 0.97, 1.03);
        Assert.InRange(gaps.Count(gap => gap > mean) / (double)gaps.Length, Math.Exp(-1) - 0.02, Math.Exp(-1) + 0.02);
    }

    [Fact]
    public void Even_arrivals_are_one_distance_apart() =>
        Assert.Equal([0, 0.25, 0.5, 0.75], ArrivalTimes.Even(4).Take(4).Select(time => time.TotalSeconds));
}
