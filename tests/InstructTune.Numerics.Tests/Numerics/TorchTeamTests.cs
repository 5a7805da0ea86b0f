using System.Collections.Concurrent;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Numerics.Tests.Numerics;

public sealed class TorchTeamTests
{
    [Fact]
    public void Kernels_find_the_threads_of_libtorch() => Assert.True(TorchTeam.IsNative);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(100, 3)]
    [InlineData(2, 5)]
    public void Every_part_runs_once(int parts, int threads)
    {
        for (var repeat = 0; repeat < 50; repeat++)
        {
            var runs = new int[parts];
            TorchTeam.For(parts, threads, part => Interlocked.Increment(ref runs[part]));
            Assert.All(runs, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Parts_run_at_the_same_time_on_several_threads()
    {
        // Each waits for the other.
        using var meeting = new Barrier(2);
        var threads = new ConcurrentBag<int>();
        TorchTeam.For(2, 2, _ =>
        {
            threads.Add(Environment.CurrentManagedThreadId);
            Assert.True(meeting.SignalAndWait(TimeSpan.FromSeconds(20)));
        });
        Assert.Equal(2, threads.Distinct().Count());
    }

    [Fact]
    public void An_exception_of_a_part_reaches_the_caller_and_the_next_call_works()
    {
        var fault = Assert.Throws<InvalidOperationException>(() => TorchTeam.For(4, 2, part => throw new InvalidOperationException("part " + part)));
        Assert.StartsWith("part ", fault.Message, StringComparison.Ordinal);
        var sum = 0;
        TorchTeam.For(4, 2, part => Interlocked.Add(ref sum, part));
        Assert.Equal(6, sum);
    }

    [Fact]
    public void Collections_of_garbage_do_not_wait_for_threads_that_wait_for_work()
    {
        for (var i = 0; i < 20; i++)
        {
            TorchTeam.For(2, 2, _ => GC.KeepAlive(new byte[1 << 16]));
            GC.Collect(0);
        }
    }
}
