using System.Diagnostics;
using InstructTune.Benchmarks.Traffic;

namespace InstructTune.Unit.Tests.Benchmarks.Traffic;

public sealed class ProcessFiguresTests
{
    [Fact]
    public void Time_is_read_behind_a_name_with_spaces_and_parentheses() =>
        Assert.Equal(1.75, ProcessFigures.CpuSeconds("42 (a (b) c 1 2) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 9 0 1 2 3\n"), 9);

    [Fact]
    public void The_time_of_this_process_is_what_the_runtime_says()
    {
        using var own = Process.GetCurrentProcess();

        Assert.InRange(ProcessFigures.CpuSeconds(Environment.ProcessId), 0.01, own.TotalProcessorTime.TotalSeconds + 1);
    }

    [Theory]
    [InlineData("cpu  100 0 100 1600 100 0 0 0 0 0", 1)]
    [InlineData("cpu  100 0 190 1010 100 0 0 0 0 0", 0.1)]
    [InlineData("cpu  100 0 100 1000 200 0 0 0 0 0", 1)]
    [InlineData("cpu  175 0 100 1000 100 0 0 25 0 0", 0)]
    [InlineData("cpu  100 0 100 1000 100 0 0 0 0 0", 1)]
    public void Idle_share_is_of_the_time_that_passed(string after, double expected) =>
        Assert.Equal(expected, ProcessFigures.IdleShare("cpu  100 0 100 1000 100 0 0 0 0 0", after), 9);
}
