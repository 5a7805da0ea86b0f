using StackExchange.Redis;

namespace InstructTune.Storage;

/// <summary>A script called by its hash; a server that does not know it yet is given the text.</summary>
public sealed class LuaScript(string name, string text)
{
    private string? _hash;

    public string Name { get; } = name;

    public async Task<RedisResult> EvaluateAsync(
        RedisConnection redis, IReadOnlyList<RedisKey> keys, IReadOnlyList<RedisValue> arguments, CancellationToken ct)
    {
        _hash ??= (string)(await redis.ExecuteAsync(database => database.ExecuteAsync("SCRIPT", "LOAD", text), ct))!;
        try
        {
            return await RunAsync(redis, "EVALSHA", _hash, keys, arguments, ct);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // The server was restarted and forgot its scripts.
            return await RunAsync(redis, "EVAL", text, keys, arguments, ct);
        }
    }

    private static Task<RedisResult> RunAsync(
        RedisConnection redis, string command, string script, IReadOnlyList<RedisKey> keys, IReadOnlyList<RedisValue> arguments, CancellationToken ct)
    {
        object[] parts = [script, keys.Count, .. keys.Cast<object>(), .. arguments.Cast<object>()];
        return redis.ExecuteAsync(database => database.ExecuteAsync(command, parts), ct);
    }
}
