using StackExchange.Redis;

namespace InstructTune.Jobs;

/// <summary>
/// The keys of one queue; the hash tag keeps them in one slot. Scripts build the others from the prefix, which is safe
/// because every script declares the lock: Garnet locks declared keys only.
/// </summary>
internal sealed class JobKeys(string queue)
{
    public string Prefix { get; } = $"it:{{{queue}}}:";

    public RedisKey Lock => Prefix + "lock";

    /// <summary>Channel: there is new work.</summary>
    public string Wake => Prefix + "wake";

    /// <summary>Channel: something happened to the job whose id is the message.</summary>
    public string News => Prefix + "news";

    /// <summary>Channel: the running job whose id is the message is to be cancelled.</summary>
    public string Cancels => Prefix + "cancels";
}
