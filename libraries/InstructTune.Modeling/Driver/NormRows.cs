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

    /// <summary>1 / rms(x), by row.</summary>
    public static void Scales(RowSpan x, float epsilon, float[] scales) =>
        RowThreads.For(x.Rows, (long)x.Rows * x.Columns, (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                scales[row] = 1 / MathF.Sqrt((Dot(x.Row(row), x.Row(row), null, x.Columns) / x.Columns) + epsilon);
            }
        });

    /// <summary>dx += gradient through the norm, or dx = where <paramref name="adds"/> is false; dx may be dy. <paramref name="scales"/> are filled.</summary>
    public static void Backward(RowSpan dy, RowSpan x, float* weight, float epsilon, RowSpan dx, bool adds, float[] scales) =>
        RowThreads.For(x.Rows, (long)x.Rows * x.Columns, (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                scales[row] = BackwardRow(dy.Row(row), x.Row(row), weight, epsilon, dx.Row(row), adds, x.Columns);
            }
        });

    /// <summary>dweight (+)= sum over rows of dy * x * scale.</summary>
    public static void WeightGradient(RowSpan dy, RowSpan x, float[] scales, float* weightGradient, bool adds) =>
        RowThreads.For(x.Columns, (long)x.Rows * x.Columns, (from, to) =>
        {
            var sums = new float[to - from];
            var block = new float[to - from];
            for (var start = 0; start < x.Rows; start += BlockRows)
            {
                Array.Clear(block);
                fixed (float* into = block)
                {
                    for (var row = start; row < Math.Min(x.Rows, start + BlockRows); row++)
                    {
                        AddProduct(dy.Row(row) + from, x.Row(row) + from, scales[row], into, to - from);
                    }
                }

                for (var i = 0; i < sums.Length; i++)
                {
                    sums[i] += block[i];
                }
            }

            for (var i = 0; i < sums.Length; i++)
            {
                weightGradient[from + i] = sums[i] + (adds ? weightGradient[from + i] : 0);
            }
        });

    private static float BackwardRow(float* dy, float* x, float* weight, float epsilon, float* dx, bool adds, int length)
    {
        var scale = 1 / MathF.Sqrt((Dot(x, x, null, length) / length) + epsilon);
        var pull = -scale * scale * scale * (Dot(dy, x, weight, length) / length);
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

        return scale;
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
