// Shape letters in this file:
//   C = slots * capacity token places   K key/value heads   H width of one head

using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// Keys and values of running sequences, allocated once: per layer one place per slot and token. The caller decides what a slot holds;
/// the cache keeps no lengths. A sequence that needs more than one slot takes several that follow each other, and names the first.
/// </summary>
public sealed class KvCache : IDisposable
{
    private readonly Tensor[] _keys_CKH;
    private readonly Tensor[] _values_CKH;

    /// <summary>
    /// Allocates the cache, and does not zero it: attention reads what its sequence wrote and nothing else, and the system provides memory
    /// only as it is written, so room that is never used costs nothing.
    /// </summary>
    /// <param name="config">The model.</param>
    /// <param name="slots">Sequences it can hold.</param>
    /// <param name="capacityTokens">Tokens of each.</param>
    /// <param name="backend">Of the model; the processor when null.</param>
    public KvCache(LlamaConfig config, int slots, int capacityTokens, ModelBackend? backend = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityTokens, 1);
        Slots = slots;
        CapacityTokens = capacityTokens;
        var place = backend ?? ModelBackend.Processor;
        Type = place.CacheType;
        long[] shape = [(long)slots * capacityTokens, config.KeyValueHeads, config.HeadWidth];
        _keys_CKH = [.. Enumerable.Range(0, config.LayerCount).Select(_ => empty(shape, Type, place.Device).DetachFromDisposeScope())];
        _values_CKH = [.. Enumerable.Range(0, config.LayerCount).Select(_ => empty(shape, Type, place.Device).DetachFromDisposeScope())];
    }

    /// <summary>Sequences it can hold.</summary>
    public int Slots { get; }

    /// <summary>Tokens a slot can hold.</summary>
    public int CapacityTokens { get; }

    /// <summary>Of keys and values.</summary>
    internal ScalarType Type { get; }

    /// <summary>Bytes of a cache before it is allocated.</summary>
    /// <param name="config">The model.</param>
    /// <param name="slots">Sequences.</param>
    /// <param name="capacityTokens">Tokens of each.</param>
    /// <param name="elementBytes">4 on the processor, 2 on a GPU.</param>
    public static long SizeBytes(LlamaConfig config, int slots, int capacityTokens, int elementBytes = sizeof(float)) =>
        2L * config.LayerCount * slots * capacityTokens * config.KeyValueHeads * config.HeadWidth * elementBytes;

    /// <summary>Copies the first tokens of one slot to another.</summary>
    public void CopyPrefix(int fromSlot, int toSlot, int tokens)
    {
        using var frozen = no_grad();
        foreach (var buffer in _keys_CKH.Concat(_values_CKH))
        {
            using var source = buffer.narrow(0, Place(fromSlot, 0), tokens);
            using var target = buffer.narrow(0, Place(toSlot, 0), tokens);
            target.copy_(source);
        }
    }

    /// <summary>Zeroes a slot: what is not finite in it would reach its next user.</summary>
    public void Clear(int slot)
    {
        using var frozen = no_grad();
        foreach (var buffer in _keys_CKH.Concat(_values_CKH))
        {
            using var target = buffer.narrow(0, Place(slot, 0), CapacityTokens);
            target.zero_();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _keys_CKH.Concat(_values_CKH))
        {
            buffer.Dispose();
        }
    }

    internal long Place(int slot, int token) => ((long)slot * CapacityTokens) + token;

    internal Tensor Keys(int layer) => _keys_CKH[layer];

    internal Tensor Values(int layer) => _values_CKH[layer];
}
