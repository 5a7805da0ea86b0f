using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Storage;

public sealed class StoreCapacityTests
{
    private const int Values = 400;

    [Fact]
    public async Task The_embedded_store_keeps_everything_of_two_hundred_megabytes()
    {
        await using var server = GarnetStore.Start();
        await using var redis = new RedisConnection(new RedisOptions { Configuration = server.Configuration }, TimeProvider.System);
        var value = new byte[512 * 1024];
        for (var i = 0; i < Values; i++)
        {
            var key = Key(i);
            await redis.ExecuteAsync(database => database.StringSetAsync(key, value), TestContext.Current.CancellationToken);
        }

        for (var i = 0; i < Values; i += 57)
        {
            var key = Key(i);
            var length = await redis.ExecuteAsync(database => database.StringLengthAsync(key), TestContext.Current.CancellationToken);
            Assert.True(length == value.Length, $"{key} is lost");
        }
    }

    private static string Key(int index) => $"it:{{capacity}}:{index}";
}
