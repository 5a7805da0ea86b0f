using InstructTune.Testing.Load;

namespace InstructTune.Unit.Tests.Testing.Load;

public sealed class OpenLoopSenderTests
{
    [Fact]
    public async Task Requests_are_sent_though_none_before_them_was_answered()
    {
        var answers = new TaskCompletionSource();
        List<int> sent = [];

        var calls = await OpenLoopSender.SendAsync(
            ArrivalTimes.Even(10_000).Take(5), TimeSpan.FromMinutes(1),
            number =>
            {
                sent.Add(number);
                return answers.Task;
            },
            TestContext.Current.CancellationToken);

        Assert.Equal([0, 1, 2, 3, 4], sent);
        Assert.Equal(5, calls.Count);
        Assert.All(calls, call => Assert.False(call.IsCompleted));
    }

    [Fact]
    public async Task Nothing_is_sent_after_the_end()
    {
        var calls = await OpenLoopSender.SendAsync(ArrivalTimes.Even(1), TimeSpan.Zero, _ => Task.CompletedTask, TestContext.Current.CancellationToken);

        Assert.Empty(calls);
    }
}
