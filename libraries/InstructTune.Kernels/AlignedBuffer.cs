using System.Runtime.InteropServices;

namespace InstructTune.Kernels;

/// <summary>Memory outside the managed heap that starts on a cache line, zeroed. A guard behind it lets kernels prefetch past the end.</summary>
/// <typeparam name="T">Of the elements.</typeparam>
public sealed unsafe class AlignedBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int CacheLineBytes = 64;
    private const int GuardBytes = 256;

    private T* _pointer;

    /// <summary>Allocates room for so many elements.</summary>
    public AlignedBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        var bytes = (nuint)checked((length * sizeof(T)) + GuardBytes);
        _pointer = (T*)NativeMemory.AlignedAlloc(bytes, CacheLineBytes);
        NativeMemory.Clear(_pointer, bytes);
        KernelMemory.Add((long)bytes);
    }

    /// <summary>Elements.</summary>
    public long Length { get; }

    /// <summary>Bytes of the elements.</summary>
    public long SizeBytes => Length * sizeof(T);

    /// <summary>The first element.</summary>
    public T* Pointer => _pointer is not null ? _pointer : throw new ObjectDisposedException(nameof(AlignedBuffer<>));

    /// <summary>Some of the elements.</summary>
    public Span<T> Span(long start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + count, Length);
        return new Span<T>(Pointer + start, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_pointer is not null)
        {
            NativeMemory.AlignedFree(_pointer);
            _pointer = null;
            KernelMemory.Remove(SizeBytes + GuardBytes);
        }
    }
}
