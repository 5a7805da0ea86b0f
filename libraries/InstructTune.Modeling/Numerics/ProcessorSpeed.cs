using System.Diagnostics;
using System.Runtime.InteropServices;
using InstructTune.Modeling.Driver;

namespace InstructTune.Modeling.Numerics;

/// <summary>
/// What this processor does at this moment, measured in a quarter of a second without libtorch: estimates of time rest on it, and a process that only
/// answers calls may take it too.
/// </summary>
/// <param name="FlopsPerSecond">Of float32 products that stay in the cache.</param>
/// <param name="BytesPerSecond">Of reading and writing memory that no cache holds.</param>
public sealed record ProcessorSpeed(double FlopsPerSecond, double BytesPerSecond)
{
    private const int Rows = 96;
    private const int Columns = 64;
    private const int Terms = 256;
    private const int CopiedFloats = 16 << 20;
    private const int ProductRounds = 24;
    private const int Products = 48;
    private const int CopyRounds = 3;

    /// <summary>Measures. The best of several rounds, because others only take away.</summary>
    /// <param name="threads">As many as training will use.</param>
    public static ProcessorSpeed Measure(int threads) => new(Flops(threads), Bytes(threads));

    // The register tiles of the layer driver, which come as near to what the processor does as libtorch's.
    private static unsafe double Flops(int threads)
    {
        var best = Best(ProductRounds, () => Parallel.For(0, threads, _ =>
        {
            fixed (float* a = new float[Rows * Terms], b = new float[Terms * Columns], c = new float[Rows * Columns])
            {
                for (var i = 0; i < Products; i++)
                {
                    TileProduct.Multiply(a, Terms, 1, b, Columns, c, Columns, (Rows, Columns, Terms), adds: false);
                }
            }
        }));
        return 2.0 * Rows * Columns * Terms * Products * threads / best;
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
            var best = Best(CopyRounds, () => Parallel.For(0, threads, part =>
                new Span<float>(from + (part * share), share).CopyTo(new Span<float>(to + (part * share), share))));
            return 2.0 * sizeof(float) * share * threads / best;
        }
        finally
        {
            NativeMemory.Free(from);
            NativeMemory.Free(to);
        }
    }

    private static double Best(int rounds, Action work)
    {
        var best = double.MaxValue;
        for (var i = 0; i < rounds; i++)
        {
            var started = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }
}
