using System.Diagnostics;
using InstructTune.Modeling.Llama;

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
    private const int Width = 512;
    private const int CopiedFloats = 16 << 20;
    private const int ProductRounds = 24;
    private const int CopyRounds = 3;

    /// <summary>Measures. The best of several rounds, because others only take away.</summary>
    /// <param name="threads">As many as training will use.</param>
    public static ProcessorSpeed Measure(int threads) => new(Products(threads), Copies(threads));

    private static unsafe double Products(int threads)
    {
        var best = Best(ProductRounds, () => Parallel.For(0, threads, _ =>
        {
            var (x, w, y) = (new float[Rows * Width], new float[Rows * Width], new float[Rows * Rows]);
            fixed (float* xs = x, ws = w, ys = y)
            {
                var (left, right, result) = (new RowSpan(xs, Rows, Width, Width), new RowSpan(ws, Rows, Width, Width), new RowSpan(ys, Rows, Rows, Rows));
                for (var i = 0; i < ProductRounds; i++)
                {
                    RowKernel.Multiply(left, right, null, result);
                }
            }
        }));
        return 2.0 * Rows * Rows * Width * ProductRounds * threads / best;
    }

    private static double Copies(int threads)
    {
        var (from, to) = (new float[CopiedFloats], new float[CopiedFloats]);
        var share = CopiedFloats / threads;
        var best = Best(CopyRounds, () => Parallel.For(0, threads, part => from.AsSpan(part * share, share).CopyTo(to.AsSpan(part * share, share))));
        return 2.0 * sizeof(float) * share * threads / best;
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
