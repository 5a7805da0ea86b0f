using StackExchange.Redis;

namespace InstructTune.Storage;

/// <summary>
/// Asks the store for what jobs rely on, because PING shows none of it: a script, a write, and scripts over two keys
/// that are atomic across connections.
/// </summary>
public sealed class StoreSelfCheck(RedisConnection redis)
{
    private const int Connections = 4;
    private const int IncrementsPerConnection = 50;

    // Time passes between reading and writing, a fraction of a millisecond: without it scripts that are not atomic may happen not to meet on a busy machine.
    private static readonly LuaScript AddToBoth = new("add-to-both", """
        local first = tonumber(redis.call('GET', KEYS[2]) or '0')
        local second = tonumber(redis.call('GET', KEYS[3]) or '0')
        local waited = 0
        for turn = 1, 10000 do
            waited = waited + turn
        end
        redis.call('SET', KEYS[2], first + 1)
        redis.call('SET', KEYS[3], second + 1)
        return first + 1
        """);

    /// <exception cref="StoreUnfitException">The store answers and cannot hold jobs; the message says what to do.</exception>
    /// <exception cref="StoreUnreachableException">The store does not answer.</exception>
    public async Task RunAsync(CancellationToken ct)
    {
        await CheckScriptAsync(ct);
        var prefix = $"it:{{self-check-{Guid.NewGuid():N}}}:";
        RedisKey[] keys = [prefix + "lock", prefix + "first", prefix + "second"];
        try
        {
            await CheckWriteAsync(keys[1], ct);
            await CheckAtomicityAsync(keys, ct);
        }
        finally
        {
            await redis.ExecuteAsync(database => database.KeyDeleteAsync(keys), CancellationToken.None);
        }
    }

    private async Task CheckScriptAsync(CancellationToken ct)
    {
        try
        {
            var answer = await redis.ExecuteAsync(database => database.ExecuteAsync("EVAL", "return {1, ARGV[1]}", 0, "x"), ct);
            if (answer.Length == 2 && (int)answer[0] == 1 && (string?)answer[1] == "x")
            {
                return;
            }

            throw new StoreUnfitException("The store answers scripts wrongly. Use Redis 6.2 or newer, Valkey, or Garnet 2.2.8 with --lua true.");
        }
        catch (RedisServerException exception)
        {
            throw new StoreUnfitException("The store refuses scripts. Start Garnet with --lua true, or allow EVAL and SCRIPT to this user of Redis.", exception);
        }
    }

    private async Task CheckWriteAsync(RedisKey key, CancellationToken ct)
    {
        try
        {
            await redis.ExecuteAsync(database => database.StringSetAsync(key, "0"), ct);
            await redis.ExecuteAsync(database => database.StringSetAsync(key, "0"), ct);
        }
        catch (RedisServerException exception)
        {
            throw new StoreUnfitException("The store refuses writes. Free disk space or memory where it runs, and point Redis:Configuration at a primary, not a replica.", exception);
        }
    }

    // One connection runs its commands one after the other whatever the server does, so the probe takes several.
    private async Task CheckAtomicityAsync(RedisKey[] keys, CancellationToken ct)
    {
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => IncrementAsync(keys, ct)));
        var sums = await redis.ExecuteAsync(database => database.StringGetAsync([keys[1], keys[2]]), ct);
        if (sums.Any(sum => sum != Connections * IncrementsPerConnection))
        {
            throw new StoreUnfitException(
                "Scripts of the store are not atomic: updates were lost when several connections ran one. Start Garnet with --lua-transaction-mode true.");
        }
    }

    private async Task IncrementAsync(RedisKey[] keys, CancellationToken ct)
    {
        await using var beside = redis.Beside();
        for (var count = 0; count < IncrementsPerConnection; count++)
        {
            await AddToBoth.EvaluateAsync(beside, keys, [], ct);
        }
    }
}

/// <summary>The store answers and cannot hold jobs. The message says what to do.</summary>
public sealed class StoreUnfitException(string message, Exception? cause = null) : Exception(message, cause);
