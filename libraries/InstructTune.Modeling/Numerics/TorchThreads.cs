using static TorchSharp.torch;

namespace InstructTune.Modeling.Numerics;

/// <summary>How many threads libtorch computes with. Results of some products depend on it, so it is pinned once and recorded.</summary>
public static class TorchThreads
{
    private static readonly Lock s_lock = new();
    private static int? s_pinned;

    /// <summary>The number pinned, or libtorch's own choice.</summary>
    public static int Count => s_pinned ?? get_num_threads();

    /// <summary>Sets the number for the whole process. Calling again with the same number does nothing.</summary>
    /// <exception cref="InvalidOperationException">Another number was pinned before.</exception>
    public static void Pin(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        lock (s_lock)
        {
            if (s_pinned is { } before && before != count)
            {
                throw new InvalidOperationException($"libtorch already runs with {before} threads in this process; it cannot change to {count}.");
            }

            set_num_threads(count);
            s_pinned = count;
        }
    }
}
