using InstructTune.Benchmarks.Traffic;

namespace InstructTune.Unit.Tests.Benchmarks.Traffic;

public sealed class FloorsTests
{
    [Fact]
    public void A_missed_floor_is_named_and_fails_the_run()
    {
        var floors = new Floors();
        floors.Add("the first", "3", isMet: true);
        floors.Add("the second", "7", isMet: false);

        Assert.False(floors.AreMet);
        Assert.Contains("| the first | 3 | held |", floors.ToString(), StringComparison.Ordinal);
        Assert.Contains("| the second | 7 | MISSED |", floors.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("Missed: the second (7).", floors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_scatters_is_shown_and_not_judged()
    {
        var floors = new Floors();
        floors.Add("the first", "3", isMet: false, isJudged: false);

        Assert.True(floors.AreMet);
        Assert.Contains("not judged", floors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Missed", floors.ToString(), StringComparison.Ordinal);
    }
}
