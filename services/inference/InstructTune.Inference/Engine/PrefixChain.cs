namespace InstructTune.Inference.Engine;

/// <summary>
/// The whole blocks of a prompt by their keys. Made where the request comes in, so that the engine's thread hashes nothing.
/// </summary>
internal sealed class PrefixChain(IReadOnlyList<PrefixKey> keys, int[] tokenIds, bool reads)
{
    public int Count => keys.Count;

    /// <summary>The tenant whose share of the cache its blocks count for.</summary>
    public string Owner { get; init; } = "";

    /// <summary>Blocks that may come from the cache. The last token is always computed: somebody wants its logits.</summary>
    public int Readable { get; } = reads ? Math.Max(0, (tokenIds.Length - 1) / SlotPool.BlockTokens) : 0;

    public PrefixKey this[int block] => keys[block];

    public ReadOnlySpan<int> TokensOf(int block) => tokenIds.AsSpan(block * SlotPool.BlockTokens, SlotPool.BlockTokens);
}
