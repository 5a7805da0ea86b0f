using System.Runtime.Intrinsics;

namespace InstructTune.Modeling.Driver;

/// <summary>Rows of scores: to weights and back to gradients. What a row does not see has weight 0.</summary>
internal static unsafe class AttentionRows
{
    private const int Lanes = 8;

    /// <summary>Scores become weights, in place; the result is the logarithm of their sum before it was divided by.</summary>
    /// <param name="row">The scores; <paramref name="length"/> of them, a multiple of eight.</param>
    /// <param name="from">First that is seen.</param>
    /// <param name="end">After the last that is seen.</param>
    /// <param name="length">Of the row.</param>
    /// <param name="scale">Factor on scores.</param>
    public static float Softmax(float* row, int from, int end, int length, float scale)
    {
        var shift = RowValues.Greatest(row + from, end - from) * scale;
        Weigh(row, end, scale, shift);
        Clear(row, from, end, length);
        var sum = Sum(row, end);
        RowValues.Scale(row, end, 1 / sum);
        return shift + MathF.Log(sum);
    }

    /// <summary>Scores become weights again, from the logarithm of their sum.</summary>
    public static void Again(float* row, int from, int end, int length, float scale, float logSum)
    {
        Weigh(row, end, scale, logSum);
        Clear(row, from, end, length);
    }

    /// <summary>Gradients of weights become those of scores: weight * (gradient - mean) * scale.</summary>
    public static void Back(float* weights, float* gradients, int length, float mean, float scale)
    {
        var (shift, factor) = (Vector256.Create(mean), Vector256.Create(scale));
        for (var i = 0; i < length; i += Lanes)
        {
            ((Vector256.Load(gradients + i) - shift) * Vector256.Load(weights + i) * factor).Store(gradients + i);
        }
    }

    /// <summary>Sum of products; the length is a multiple of eight.</summary>
    public static float Dot(float* a, float* b, int length)
    {
        var sum = Vector256<float>.Zero;
        for (var i = 0; i < length; i += Lanes)
        {
            sum = Vector256.FusedMultiplyAdd(Vector256.Load(a + i), Vector256.Load(b + i), sum);
        }

        return Vector256.Sum(sum);
    }

    // To the end of the vector that the last value lies in.
    private static void Weigh(float* row, int end, float scale, float shift)
    {
        var (factor, offset) = (Vector256.Create(scale), Vector256.Create(-shift));
        for (var i = 0; i < end; i += Lanes)
        {
            VectorMath.Exp(Vector256.FusedMultiplyAdd(Vector256.Load(row + i), factor, offset)).Store(row + i);
        }
    }

    private static void Clear(float* row, int from, int end, int length)
    {
        new Span<float>(row, from).Clear();
        new Span<float>(row + end, length - end).Clear();
    }

    private static float Sum(float* row, int end)
    {
        var sum = Vector256<float>.Zero;
        for (var i = 0; i < end; i += Lanes)
        {
            sum += Vector256.Load(row + i);
        }

        return Vector256.Sum(sum);
    }
}
