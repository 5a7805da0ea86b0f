namespace InstructTune.Kernels;

/// <summary>Aligned buffers of the process that are not freed. A number that only grows is a leak.</summary>
public static class KernelMemory
{
    private static long s_buffers;
    private static long s_bytes;

    /// <summary>How many there are.</summary>
    public static long BufferCount => Interlocked.Read(ref s_buffers);

    /// <summary>What they take.</summary>
    public static long SizeBytes => Interlocked.Read(ref s_bytes);

    internal static void Add(long sizeBytes)
    {
        Interlocked.Increment(ref s_buffers);
        Interlocked.Add(ref s_bytes, sizeBytes);
    }

    internal static void Remove(long sizeBytes)
    {
        Interlocked.Decrement(ref s_buffers);
        Interlocked.Add(ref s_bytes, -sizeBytes);
    }
}
