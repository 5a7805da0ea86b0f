using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Jobs;

/// <summary>The guards around every call to the store, each seen to act: the time-out, the repetition, the breaker, the reconnect.</summary>
public sealed class PipelineTests(StoreFixture stores)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Time_out_ends_a_call_whose_answer_does_not_come()
    {
        await using var proxy = new FaultProxy((await stores.ServerAsync(StoreKind.Redis)).Port);
        await using var redis = await ConnectAsync(proxy, TimeSpan.FromMilliseconds(500));
        proxy.Fault = Fault.HalfOpen;
        var start = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAsync<StoreUnreachableException>(() => PingAsync(redis));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.FromMilliseconds(500), 5 * Patience);
    }

    [Fact]
    public async Task Breaker_fails_calls_at_once_while_the_store_is_away_and_lets_one_look_again()
    {
        await using var proxy = new FaultProxy((await stores.ServerAsync(StoreKind.Redis)).Port);
        await using var redis = await ConnectAsync(proxy, TimeSpan.FromSeconds(2));
        proxy.Fault = Fault.HalfOpen;
        for (var call = 0; call < 3; call++)
        {
            await Assert.ThrowsAsync<StoreUnreachableException>(() => PingAsync(redis));
        }

        // Open: a hundred calls take less than one takes that asks.
        var start = TimeProvider.System.GetTimestamp();
        for (var call = 0; call < 100; call++)
        {
            var refused = await Assert.ThrowsAsync<StoreUnreachableException>(() => PingAsync(redis));
            Assert.IsType<Polly.CircuitBreaker.BrokenCircuitException>(refused.InnerException, exactMatch: false);
        }

        Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, "Calls were not refused at once.");
        proxy.Fault = Fault.None;
        await Eventually.HoldsAsync(() => AnswersAsync(redis), "one is let through, and closes it", Longest);
        await PingAsync(redis);
    }

    [Fact]
    public async Task Call_that_was_never_sent_is_repeated_until_the_connection_is_back()
    {
        await using var proxy = new FaultProxy((await stores.ServerAsync(StoreKind.Redis)).Port);
        await using var redis = await ConnectAsync(proxy, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30));
        proxy.Fault = Fault.Refuse;
        await Eventually.HoldsAsync(() => !redis.IsConnected, "the connection is seen to be gone", Longest);
        var call = PingAsync(redis);
        Assert.False(call.IsCompleted);
        proxy.Fault = Fault.None;
        await call;
    }

    private static async Task<RedisConnection> ConnectAsync(FaultProxy proxy, TimeSpan breakDuration, TimeSpan? patience = null)
    {
        var redis = new RedisConnection(
            new RedisOptions { Configuration = $"127.0.0.1:{proxy.Port}", Patience = patience ?? Patience, BreakDuration = breakDuration }, TimeProvider.System);
        await Eventually.HoldsAsync(() => AnswersAsync(redis), "the store answers", Longest);
        return redis;
    }

    private static Task PingAsync(RedisConnection redis) => redis.ExecuteAsync(database => database.PingAsync(), Ct);

    private static async Task<bool> AnswersAsync(RedisConnection redis)
    {
        try
        {
            await PingAsync(redis);
            return true;
        }
        catch (StoreUnreachableException)
        {
            return false;
        }
    }
}
