namespace InstructTune.Modeling.Tokenization;

/// <summary>A list whose storage can be written to directly.</summary>
internal sealed class Buffer<T>
    where T : unmanaged
{
    private T[] _items = new T[256];

    public int Count { get; private set; }

    public Span<T> Span => _items.AsSpan(0, Count);

    public void Clear() => Count = 0;

    public void Add(T item)
    {
        if (Count == _items.Length)
        {
            Grow(1);
        }

        _items[Count++] = item;
    }

    public void Add(ReadOnlySpan<T> items) => items.CopyTo(Extend(items.Length));

    /// <summary>Appends so many items, to be written by the caller.</summary>
    public Span<T> Extend(int count)
    {
        if (_items.Length - Count < count)
        {
            Grow(count);
        }

        Count += count;
        return _items.AsSpan(Count - count, count);
    }

    public void Shorten(int count) => Count = count;

    public void Trim(int kept)
    {
        if (_items.Length > kept)
        {
            _items = new T[256];
            Count = 0;
        }
    }

    private void Grow(int count) => Array.Resize(ref _items, checked((int)Math.Max((uint)(_items.Length * 2L), (uint)(Count + (long)count))));
}
