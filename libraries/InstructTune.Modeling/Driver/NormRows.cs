using System.Runtime.Intrinsics;
using InstructTune.Kernels;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Driver;

/// <summary>Root mean square norm over rows, there and back.</summary>
internal static unsafe class NormRows
{
    private const int Lanes = 8;

    // Sums over rows are made of sums over so many: less rounding, and the same for every number of threads.
    private const int BlockRows = 32;

    /// <summary>y = x / rms(x) * weight.</summary>
    public static void Forward(RowSpan x, float* weight, float epsilon, RowSpan y) =>
        RowThreads.For(x.Rows, (long)x.Rows * x.Columns, (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                RowMath.RmsNorm(x.Row(row), weight, y.Row(row), x.Columns, epsilon);
            }
        });

    /// <summary>Rows of the sums that <see cref="Backward"/> needs for so many rows.</summary>
    public static int BlocksOf(long rows) => (int)((rows + BlockRows - 1) / BlockRows);

    /// <summary>dx += gradient through the norm, or dx = where <paramref name="adds"/> is false; dx may be dy.</summary>
    /// <param name="dy">Gradient of the result.</param>
    /// <param name="x">What was normalised.</param>
    /// <param name="weight">Of the norm.</param>
    /// <param name="epsilon">Of the norm.</param>
    /// <param name="dx">Gradient of x.</param>
    /// <param name="adds">Whether to add to dx.</param>
    /// <param name="sums">Filled, block by block, with sums over rows of dy * x / rms(x); null where the weight is not trained.</param>
    public static void Backward(RowSpan dy, RowSpan x, float* weight, float epsilon, RowSpan dx, bool adds, float* sums) =>
        RowThreads.For(BlocksOf(x.Rows), (long)x.Rows * x.Columns, (from, to) =>
        {
            for (var block = from; block < to; block++)
            {
                var sum = sums is null ? null : sums + ((long)block * x.Columns);
                if (sum is not null)
                {
                    new Span<float>(sum, x.Columns).Clear();
                }

                for (var row = block * BlockRows; row < Math.Min(x.Rows, (block + 1) * BlockRows); row++)
                {
                    BackwardRow(dy.Row(row), x.Row(row), weight, epsilon, dx.Row(row), adds, sum, x.Columns);
                }
            }
        });

    /// <summary>dweight (+)= the blocks' sums, in order.</summary>
    public static void AddSums(float* sums, int blocks, int columns, float* weightGradient, bool adds)
    {
        if (!adds)
        {
            new Span<float>(weightGradient, columns).Clear();
        }

        for (var block = 0; block < blocks; block++)
        {
            RowMath.Add(sums + ((long)block * columns), weightGradient, columns);
        }
    }

    private static void BackwardRow(float* dy, float* x, float* weight, float epsilon, float* dx, bool adds, float* sum, int length)
    {
        var scale = 1 / MathF.Sqrt((Dot(x, x, null, length) / length) + epsilon);
        var pull = -scale * scale * scale * (Dot(dy, x, weight, length) / length);
        if (sum is not null)
        {
            // Before dx, which may be dy.
            AddProduct(dy, x, scale, sum, length);
        }

        var (factor, along) = (Vector256.Create(scale), Vector256.Create(pull));
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            var value = Vector256.FusedMultiplyAdd(Vector256.Load(dy + i) * Vector256.Load(weight + i), factor, Vector256.Load(x + i) * along);
            (adds ? value + Vector256.Load(dx + i) : value).Store(dx + i);
        }

        for (; i < length; i++)
        {
            dx[i] = (dy[i] * weight[i] * scale) + (x[i] * pull) + (adds ? dx[i] : 0);
        }
    }

    // Sum of a * b, times weight where there is one.
    private static float Dot(float* a, float* b, float* weight, int length)
    {
        var sum = Vector256<float>.Zero;
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            var left = weight is null ? Vector256.Load(a + i) : Vector256.Load(a + i) * Vector256.Load(weight + i);
            sum = Vector256.FusedMultiplyAdd(left, Vector256.Load(b + i), sum);
        }

        var total = Vector256.Sum(sum);
        for (; i < length; i++)
        {
            total += a[i] * b[i] * (weight is null ? 1 : weight[i]);
        }

        return total;
    }

    private static void AddProduct(float* a, float* b, float factor, float* into, int length)
    {
        var scale = Vector256.Create(factor);
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            Vector256.FusedMultiplyAdd(Vector256.Load(a + i) * scale, Vector256.Load(b + i), Vector256.Load(into + i)).Store(into + i);
        }

        for (; i < length; i++)
        {
            into[i] += a[i] * factor * b[i];
        }
    }
}
