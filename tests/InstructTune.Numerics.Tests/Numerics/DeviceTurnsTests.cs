using InstructTune.Modeling.Numerics;

namespace InstructTune.Numerics.Tests.Numerics;

public sealed class DeviceTurnsTests
{
    [Fact]
    public async Task Turns_come_in_the_order_of_asking()
    {
        using var turns = new DeviceTurns();
        var order = new List<int>();
        var first = turns.Enter(TestContext.Current.CancellationToken);
        var tasks = new List<Task>();
        for (var i = 0; i < 8; i++)
        {
            var number = i;
            tasks.Add(Task.Factory.StartNew(
                () =>
                {
                    using var turn = turns.Enter(CancellationToken.None);
                    order.Add(number);
                },
                TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default));
            await UntilAsync(() => turns.WaitingCount == number + 1);
        }

        first.Dispose();
        await Task.WhenAll(tasks);
        Assert.Equal(Enumerable.Range(0, 8), order);
        Assert.Equal(0, turns.WaitingCount);
    }

    [Fact]
    public async Task A_cancelled_wait_leaves_the_line_and_the_next_gets_the_turn()
    {
        using var turns = new DeviceTurns();
        using var cancellation = new CancellationTokenSource();
        var first = turns.Enter(CancellationToken.None);
        var cancelled = Task.Run(() => turns.Enter(cancellation.Token), TestContext.Current.CancellationToken);
        await UntilAsync(() => turns.WaitingCount == 1);
        var next = Task.Run(() => turns.Enter(CancellationToken.None), TestContext.Current.CancellationToken);
        await UntilAsync(() => turns.WaitingCount == 2);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        first.Dispose();
        (await next).Dispose();
        turns.Enter(CancellationToken.None).Dispose();
    }

    [Fact]
    public void A_turn_ends_once()
    {
        using var turns = new DeviceTurns();
        var turn = turns.Enter(CancellationToken.None);
        turn.Dispose();
        var second = turns.Enter(CancellationToken.None);
        turn.Dispose();
        Assert.False(TryEnterAtOnce(turns));
        second.Dispose();
        Assert.True(TryEnterAtOnce(turns));
    }

    private static bool TryEnterAtOnce(DeviceTurns turns)
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        try
        {
            turns.Enter(cancellation.Token).Dispose();
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var patience = TimeSpan.FromSeconds(20);
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < patience, "What was waited for did not happen.");
            await Task.Yield();
        }
    }
}
