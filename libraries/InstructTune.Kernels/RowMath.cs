using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace InstructTune.Kernels;

/// <summary>
/// What a transformer does to one row of activations between its matrices. Sums run over eight lanes in ascending order, so a row's bits depend
/// on the row alone. Lengths need not be multiples of eight.
/// </summary>
public static unsafe class RowMath
{
    private const int Lanes = 8;

    /// <summary>y = x / sqrt(mean(x^2) + epsilon) * weight, as Hugging Face's RMSNorm.</summary>
    public static void RmsNorm(float* x, float* weight, float* y, int length, float epsilon)
    {
        var scale = Vector256.Create(1 / MathF.Sqrt((Dot(x, x, length) / length) + epsilon));
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            (Vector256.Load(x + i) * scale * Vector256.Load(weight + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] = x[i] * scale[0] * weight[i];
        }
    }

    /// <summary>y = gate * sigmoid(gate) * up.</summary>
    public static void SwiGlu(float* gate, float* up, float* y, int length)
    {
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            Silu(Vector256.Load(gate + i), Vector256.Load(up + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] = Silu(Vector256.Create(gate[i]), Vector256.Create(up[i]))[0];
        }
    }

    /// <summary>y += x.</summary>
    public static void Add(float* x, float* y, int length) => AddScaled(x, 1, y, length);

    /// <summary>y += factor * x.</summary>
    public static void AddScaled(float* x, float factor, float* y, int length)
    {
        var scale = Vector256.Create(factor);
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            Vector256.FusedMultiplyAdd(Vector256.Load(x + i), scale, Vector256.Load(y + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] = MathF.FusedMultiplyAdd(x[i], factor, y[i]);
        }
    }

    /// <summary>y *= x.</summary>
    public static void MultiplyBy(float* x, float* y, int length)
    {
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            (Vector256.Load(y + i) * Vector256.Load(x + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] *= x[i];
        }
    }

    /// <summary>Turns pairs (i, i + half) of a head by their angles, in place.</summary>
    public static void Rotate(float* x, float* cosines, float* sines, int half)
    {
        var i = 0;
        for (; i + Lanes <= half; i += Lanes)
        {
            var (first, second) = (Vector256.Load(x + i), Vector256.Load(x + half + i));
            var (cos, sin) = (Vector256.Load(cosines + i), Vector256.Load(sines + i));
            ((first * cos) - (second * sin)).Store(x + i);
            ((second * cos) + (first * sin)).Store(x + half + i);
        }

        for (; i < half; i++)
        {
            var (first, second) = (x[i], x[half + i]);
            x[i] = (first * cosines[i]) - (second * sines[i]);
            x[half + i] = (second * cosines[i]) + (first * sines[i]);
        }
    }

    /// <summary>Sum of products.</summary>
    public static float Dot(float* x, float* y, int length)
    {
        var sum = Vector256<float>.Zero;
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            sum = Vector256.FusedMultiplyAdd(Vector256.Load(x + i), Vector256.Load(y + i), sum);
        }

        var total = Vector256.Sum(sum);
        for (; i < length; i++)
        {
            total = MathF.FusedMultiplyAdd(x[i], y[i], total);
        }

        return total;
    }

    /// <summary>Four sums of products with one vector, whose length is a multiple of eight.</summary>
    public static Vector128<float> DotFour(float* x, float* y0, float* y1, float* y2, float* y3, int length)
    {
        Vector256<float> a = default, b = default, c = default, d = default;
        for (var i = 0; i < length; i += Lanes)
        {
            var value = Vector256.Load(x + i);
            a = Vector256.FusedMultiplyAdd(value, Vector256.Load(y0 + i), a);
            b = Vector256.FusedMultiplyAdd(value, Vector256.Load(y1 + i), b);
            c = Vector256.FusedMultiplyAdd(value, Vector256.Load(y2 + i), c);
            d = Vector256.FusedMultiplyAdd(value, Vector256.Load(y3 + i), d);
        }

        if (!Avx.IsSupported)
        {
            return Vector128.Create(Tree(a), Tree(b), Tree(c), Tree(d));
        }

        var sums = Avx.HorizontalAdd(Avx.HorizontalAdd(a, b), Avx.HorizontalAdd(c, d));
        return sums.GetLower() + sums.GetUpper();
    }

    /// <summary>The order of additions of the instruction above, so that both ways give the same bits.</summary>
    internal static float Tree(Vector256<float> v) => (v[0] + v[1] + (v[2] + v[3])) + (v[4] + v[5] + (v[6] + v[7]));

    private static Vector256<float> Silu(Vector256<float> gate, Vector256<float> up) => gate / (Vector256<float>.One + Vector256.Exp(-gate)) * up;
}
