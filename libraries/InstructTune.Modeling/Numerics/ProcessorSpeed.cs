using System.Diagnostics;
using System.Runtime.InteropServices;
using InstructTune.Modeling.Driver;

namespace InstructTune.Modeling.Numerics;

/// <summary>
/// What this processor does at this moment, measured in one to three seconds without libtorch: estimates of time rest on it, and a process that only
/// answers calls may take it too.
/// </summary>
/// <param name="FlopsPerSecond">Of float32 products that stay in the cache.</param>
/// <param name="BytesPerSecond">Of reading and writing memory that no cache holds.</param>
public sealed record ProcessorSpeed(double FlopsPerSecond, double BytesPerSecond)
{
    private const int Rows = 24;
    private const int Terms = 128;
    private const int CopiedFloats = 16 << 20;
    private const int Products = 1500;
    private const double Better = 0.98;

    // What others take comes and goes within a second.
    private static readonly TimeSpan s_steady = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(3);

    // Copying is the runtime's own code, compiled before it starts.
    private static readonly TimeSpan s_steadyCopy = TimeSpan.FromMilliseconds(60);

    /// <summary>Measures. The best of many rounds, because others only take away.</summary>
    /// <param name="threads">As many as training will use.</param>
    public static ProcessorSpeed Measure(int threads) => new(Flops(threads), Bytes(threads));

    // The register tiles of the layer driver, which come as near to what the processor does as libtorch's, on operands that stay in the nearest cache.
    private static unsafe double Flops(int threads)
    {
        var best = Best(s_steady, () => Parallel.For(0, threads, static _ =>
        {
            var memory = (float*)NativeMemory.AlignedAlloc(sizeof(float) * ((Rows * Terms) + (Terms * TileProduct.Columns) + (Rows * TileProduct.Columns)), 64);
            float* a = memory, b = a + (Rows * Terms), c = b + (Terms * TileProduct.Columns);
            new Span<float>(memory, (Rows + TileProduct.Columns) * Terms).Fill(1);
            for (var i = 0; i < Products; i++)
            {
                TileProduct.Multiply(a, Terms, 1, b, TileProduct.Columns, c, TileProduct.Columns, (Rows, TileProduct.Columns, Terms), adds: false);
            }

            NativeMemory.AlignedFree(memory);
        }));
        return 2.0 * Rows * TileProduct.Columns * Terms * Products * threads / best;
    }

    // Native memory: a garbage collector would keep these blocks for a while.
    private static unsafe double Bytes(int threads)
    {
        var from = (float*)NativeMemory.AllocZeroed(CopiedFloats, sizeof(float));
        var to = (float*)NativeMemory.AllocZeroed(CopiedFloats, sizeof(float));
        try
        {
            // A page that was never written is the same zeros for all.
            new Span<float>(from, CopiedFloats).Fill(1);
            var share = CopiedFloats / threads;
            var best = Best(s_steadyCopy, () => Parallel.For(0, threads, part =>
                new Span<float>(from + (part * share), share).CopyTo(new Span<float>(to + (part * share), share))));
            return 2.0 * sizeof(float) * share * threads / best;
        }
        finally
        {
            NativeMemory.Free(from);
            NativeMemory.Free(to);
        }
    }

    // Until no round was better for a while. Two percent less is not better, or noise would never end it.
    private static double Best(TimeSpan steady, Action work)
    {
        var begun = Stopwatch.GetTimestamp();
        var (best, improved) = (double.MaxValue, begun);
        while (Stopwatch.GetElapsedTime(improved) < steady && Stopwatch.GetElapsedTime(begun) < s_longest)
        {
            var started = Stopwatch.GetTimestamp();
            work();
            var taken = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (taken < best * Better)
            {
                improved = Stopwatch.GetTimestamp();
            }

            best = Math.Min(best, taken);
        }

        return best;
    }
}
