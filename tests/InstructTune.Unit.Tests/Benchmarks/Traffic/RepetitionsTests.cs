using CsCheck;
using InstructTune.Benchmarks.Traffic;

namespace InstructTune.Unit.Tests.Benchmarks.Traffic;

public sealed class RepetitionsTests
{
    [Fact]
    public void Median_best_and_scatter_are_told()
    {
        var repetitions = new Repetitions([8, 10, 12]);

        Assert.Equal(10, repetitions.Median);
        Assert.Equal(12, repetitions.Greatest);
        Assert.Equal(0.2, repetitions.Scatter, 9);
        Assert.False(repetitions.IsSteady);
    }

    [Fact]
    public void Scatter_does_not_depend_on_the_unit_and_equal_values_have_none() =>
        Gen.Select(Gen.Double[1, 100].Array[2, 9], Gen.Double[0.01, 100]).Sample((values, unit) =>
        {
            Assert.Equal(new Repetitions(values).Scatter, new Repetitions([.. values.Select(value => value * unit)]).Scatter, 6);
            Assert.Equal(0, new Repetitions([unit, unit, unit]).Scatter, 9);
            Assert.Equal(0, new Repetitions([unit]).Scatter);
        });
}
