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

    /// <summary>Copies places to others that do not overlap them.</summary>
    public void Copy(long from, long to, int places)
    {
        var bytes = (long)places * _config.HeadWidth * sizeof(float);
        for (var layer = 0; layer < _keys.Length; layer++)
        {
            for (var head = 0; head < _config.KeyValueHeads; head++)
            {
                Buffer.MemoryCopy(Key(layer, head, from), Key(layer, head, to), bytes, bytes);
                Buffer.MemoryCopy(Value(layer, head, from), Value(layer, head, to), bytes, bytes);
            }
        }
    }

    /// <summary>Zeroes places: what is not finite in them would reach their next user.</summary>
    public void Clear(long from, int places)
    {
        for (var layer = 0; layer < _keys.Length; layer++)
        {
            for (var head = 0; head < _config.KeyValueHeads; head++)
            {
                new Span<float>(Key(layer, head, from), places * _config.HeadWidth).Clear();
                new Span<float>(Value(layer, head, from), places * _config.HeadWidth).Clear();
            }
        }
    }

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
