using static TorchSharp.torch;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// Memory of what a micro-batch keeps for its way back: one block that is kept from step to step, taken from the front and given back in the
/// opposite order. What did not fit the first time lies in slabs until the next micro-batch, which starts with a block large enough.
/// </summary>
internal sealed class Arena : IDisposable
{
    // Rows begin at cache lines.
    private const long Alignment = 16;

    // The C library keeps smaller blocks when they are freed (NativeHeap): all that a first micro-batch took would stay beside the block of the second.
    private const long SlabFloats = 16L << 20;

    private readonly List<Slab> _overflow = [];
    private Tensor? _storage;
    private long _capacity;
    private long _used;
    private long _most;

    /// <summary>Where the next tensor begins; <see cref="Release"/> gives back what was taken after.</summary>
    public long Mark => _used;

    /// <summary>Bytes of the block.</summary>
    public long CapacityBytes => _capacity * sizeof(float);

    /// <summary>A float32 tensor with undefined content; a view, owned by the caller's scope, valid until its place is released.</summary>
    public Tensor Take(long rows, long columns)
    {
        var (place, count) = (_used, rows * columns);
        _used += (count + Alignment - 1) / Alignment * Alignment;
        _most = Math.Max(_most, _used);
        var (block, first) = _used <= _capacity ? (_storage!, place) : Overflow(place, count);
        using var flat = block.narrow(0, first, count);
        return flat.view(rows, columns);
    }

    /// <summary>Gives back everything that was taken since the mark.</summary>
    public void Release(long mark)
    {
        _used = mark;
        while (_overflow.Count > 0 && _overflow[^1].Place >= mark)
        {
            _overflow[^1].Block.Dispose();
            _overflow.RemoveAt(_overflow.Count - 1);
        }
    }

    /// <summary>Gives everything back and makes the block as large as was ever needed.</summary>
    public void Reset()
    {
        Release(0);
        if (_most > _capacity)
        {
            _storage?.Dispose();
            _capacity = 0;
            _storage = empty([_most], ScalarType.Float32).DetachFromDisposeScope();
            _capacity = _most;
        }
    }

    public void Dispose()
    {
        Release(0);
        _storage?.Dispose();
        (_storage, _capacity, _most) = (null, 0, 0);
    }

    private (Tensor Block, long First) Overflow(long place, long count)
    {
        if (_overflow.Count == 0 || place + count > _overflow[^1].End)
        {
            var size = Math.Max(count, SlabFloats);
            _overflow.Add(new Slab(place, place + size, empty([size], ScalarType.Float32).DetachFromDisposeScope()));
        }

        return (_overflow[^1].Block, place - _overflow[^1].Place);
    }

    private sealed record Slab(long Place, long End, Tensor Block);
}
