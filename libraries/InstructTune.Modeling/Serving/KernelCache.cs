using InstructTune.Kernels;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Serving;

/// <summary>
/// Keys and values of running sequences, allocated once: per layer and key head one place per token. A sequence has places that follow each
/// other; which ones is the caller's decision.
/// </summary>
public sealed unsafe class KernelCache : IDisposable
{
    private readonly AlignedBuffer<float>[] _keys;
    private readonly AlignedBuffer<float>[] _values;
    private readonly LlamaConfig _config;

    /// <summary>Allocates places for so many tokens.</summary>
    public KernelCache(LlamaConfig config, long places)
    {
        _config = config;
        Places = places;
        var length = places * config.KeyValueHeads * config.HeadWidth;
        _keys = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new AlignedBuffer<float>(length))];
        _values = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new AlignedBuffer<float>(length))];
    }

    /// <summary>Tokens it can hold.</summary>
    public long Places { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _keys.Concat(_values))
        {
            buffer.Dispose();
        }
    }

    internal float* Key(int layer, int head, long place) => _keys[layer].Pointer + (((head * Places) + place) * _config.HeadWidth);

    internal float* Value(int layer, int head, long place) => _values[layer].Pointer + (((head * Places) + place) * _config.HeadWidth);
}
