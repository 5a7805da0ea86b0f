using CsCheck;
using InstructTune.Benchmarks.Traffic;

namespace InstructTune.Unit.Tests.Benchmarks.Traffic;

public sealed class AdapterDrawTests
{
    private const int Streams = 8;

    [Fact]
    public void Every_draw_is_one_of_the_adapters() =>
        Gen.Select(Gen.Enum<Popularity>(), Gen.Int[1, 40], Gen.Int[0, Streams - 1], Gen.Int[0, 1000], Gen.Double[0, 1]).Sample((popularity, adapters, stream, request, uniform) =>
            Assert.InRange(new AdapterDraw(popularity, adapters, Streams).Next(stream, request, uniform), 0, adapters - 1));

    [Theory]
    [InlineData(nameof(Popularity.Uniform), new[] { 0.25, 0.25, 0.25, 0.25 })]
    [InlineData(nameof(Popularity.Zipf), new[] { 0.59844, 0.21158, 0.11517, 0.07481 })]
    public void Adapters_are_drawn_as_often_as_their_popularity_says(string popularity, double[] expected)
    {
        var draw = new AdapterDraw(Enum.Parse<Popularity>(popularity), 4, Streams);
        var random = new Random(11);
        var counts = new int[4];
        for (var i = 0; i < 40_000; i++)
        {
            counts[draw.Next(0, i, random.NextDouble())]++;
        }

        Assert.All(draw.Shares.Zip(expected), pair => Assert.InRange(pair.First, pair.Second - 1e-5, pair.Second + 1e-5));
        Assert.All(counts.Zip(expected), pair => Assert.InRange(pair.First / 40_000.0, pair.Second - 0.01, pair.Second + 0.01));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Distinct_streams_never_ask_for_the_same_at_once_and_in_time_for_all(int adapters)
    {
        var draw = new AdapterDraw(Popularity.Distinct, adapters, Streams);

        var rounds = Enumerable.Range(0, 2).Select(request => Enumerable.Range(0, Streams).Select(stream => draw.Next(stream, request, 0.5)).ToArray()).ToArray();

        Assert.All(rounds, round => Assert.Equal(Streams, round.Distinct().Count()));
        Assert.Equal(adapters, rounds.SelectMany(round => round).Distinct().Count());
    }

    [Fact]
    public void Identical_streams_ask_for_the_first_only() =>
        Assert.All(Enumerable.Range(0, 50), i => Assert.Equal(0, new AdapterDraw(Popularity.Identical, 16, Streams).Next(i % Streams, i, i / 50.0)));
}
