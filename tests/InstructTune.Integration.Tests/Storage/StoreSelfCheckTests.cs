using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Storage;

public sealed class StoreSelfCheckTests(StoreFixture stores)
{
    [Theory]
    [EachStore]
    public async Task Fit_store_passes_and_keeps_nothing(StoreKind kind)
    {
        var redis = await stores.ConnectionAsync(kind);
        await new StoreSelfCheck(redis).RunAsync(TestContext.Current.CancellationToken);
        var left = await redis.ExecuteAsync(
            database => Task.FromResult(database.Multiplexer.GetServers()[0].Keys(pattern: "it:{self-check-*").ToArray()),
            TestContext.Current.CancellationToken);
        Assert.Empty(left);
    }

    [Fact]
    public async Task Store_whose_scripts_are_not_atomic_is_refused_with_what_to_do()
    {
        await using var server = GarnetStore.Start(isAtomic: false);
        await using var redis = new RedisConnection(new RedisOptions { Configuration = server.Configuration }, TimeProvider.System);
        var refused = await Assert.ThrowsAsync<StoreUnfitException>(() => new StoreSelfCheck(redis).RunAsync(TestContext.Current.CancellationToken));
        Assert.Contains("--lua-transaction-mode true", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Absent_store_is_unreachable_within_the_patience()
    {
        var options = new RedisOptions { Configuration = $"127.0.0.1:{FreePort.Next()}", Patience = TimeSpan.FromSeconds(1) };
        await using var redis = new RedisConnection(options, TimeProvider.System);
        var start = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAsync<StoreUnreachableException>(() => new StoreSelfCheck(redis).RunAsync(TestContext.Current.CancellationToken));
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(8));
    }
}
