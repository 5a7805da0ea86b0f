// Shape letters in this file:
//   M rows   I inputs   O outputs   R rank

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>
/// Products of few rows with row-major weights, for steps in which libtorch would spend its time repacking the weights. Every result is
/// one sum over eight lanes in ascending order, whatever rows stand beside it: its bits depend on its own row and weights only.
/// </summary>
internal static unsafe class RowKernel
{
    private const int Lanes = 8;

    // About 30 microseconds of one thread; waking another takes about 5.
    internal const long WorkWorthAThread = 1_000_000;

    /// <summary>y = x W^T + bias. Each weight is read from memory once. Threads share the outputs, which changes no bit.</summary>
    public static void Multiply(RowSpan x_MI, RowSpan weight_OI, float* bias_O, RowSpan y_MO, int threads = 1)
    {
        var work = (long)x_MI.Rows * weight_OI.Rows * weight_OI.Columns;
        if (threads == 1 || work < WorkWorthAThread)
        {
            MultiplyPart(x_MI, weight_OI, bias_O, y_MO, 0, weight_OI.Rows);
        }
        else
        {
            MultiplyTogether(x_MI, weight_OI, bias_O, y_MO, threads);
        }
    }

    /// <summary>y += h B, B by columns of outputs: the outer half of an adapter.</summary>
    public static void AddOuter(RowSpan h_MR, RowSpan b_RO, RowSpan y_MO)
    {
        for (var m = 0; m < h_MR.Rows; m++)
        {
            float* h = h_MR.Row(m), y = y_MO.Row(m);
            var o = 0;
            for (; o + Lanes <= b_RO.Columns; o += Lanes)
            {
                var sum = Vector256.Load(y + o);
                for (var r = 0; r < b_RO.Rows; r++)
                {
                    sum = Vector256.FusedMultiplyAdd(Vector256.Create(h[r]), Vector256.Load(b_RO.Row(r) + o), sum);
                }

                sum.Store(y + o);
            }

            for (; o < b_RO.Columns; o++)
            {
                for (var r = 0; r < b_RO.Rows; r++)
                {
                    y[o] = float.FusedMultiplyAdd(h[r], b_RO.Row(r)[o], y[o]);
                }
            }
        }
    }

    // A method of its own, because what a lambda captures is allocated as the method begins.
    private static void MultiplyTogether(RowSpan x_MI, RowSpan weight_OI, float* bias_O, RowSpan y_MO, int threads)
    {
        var share = (weight_OI.Rows + threads - 1) / threads;
        Parallel.For(0, threads, part => MultiplyPart(
            x_MI, weight_OI, bias_O, y_MO, Math.Min(part * share, weight_OI.Rows), Math.Min((part + 1) * share, weight_OI.Rows)));
    }

    private static void MultiplyPart(RowSpan x_MI, RowSpan weight_OI, float* bias_O, RowSpan y_MO, int firstOutput, int endOutput)
    {
        var inputs = weight_OI.Columns;
        var o = firstOutput;
        for (; o + 3 <= endOutput; o += 3)
        {
            var w = weight_OI.Row(o);
            var bias = bias_O is null ? null : bias_O + o;
            var m = 0;
            for (; m + 4 <= x_MI.Rows; m += 4)
            {
                Tile4x3(x_MI.Row(m), x_MI.Stride, w, weight_OI.Stride, inputs, bias, y_MO.Row(m) + o, y_MO.Stride);
            }

            for (; m < x_MI.Rows; m++)
            {
                Tile1x3(x_MI.Row(m), w, weight_OI.Stride, inputs, bias, y_MO.Row(m) + o);
            }
        }

        for (; o < endOutput; o++)
        {
            for (var m = 0; m < x_MI.Rows; m++)
            {
                y_MO.Row(m)[o] = Dot(x_MI.Row(m), weight_OI.Row(o), inputs) + (bias_O is null ? 0 : bias_O[o]);
            }
        }
    }

    private static void Tile4x3(float* x, long strideX, float* w, long strideW, int inputs, float* bias, float* y, long strideY)
    {
        Vector256<float> a00 = default, a01 = default, a02 = default, a10 = default, a11 = default, a12 = default;
        Vector256<float> a20 = default, a21 = default, a22 = default, a30 = default, a31 = default, a32 = default;
        float* x1 = x + strideX, x2 = x1 + strideX, x3 = x2 + strideX, w1 = w + strideW, w2 = w1 + strideW;
        var whole = inputs & -Lanes;
        for (var i = 0; i < whole; i += Lanes)
        {
            var (v0, v1, v2) = (Vector256.Load(w + i), Vector256.Load(w1 + i), Vector256.Load(w2 + i));
            var row = Vector256.Load(x + i);
            a00 = Vector256.FusedMultiplyAdd(row, v0, a00);
            a01 = Vector256.FusedMultiplyAdd(row, v1, a01);
            a02 = Vector256.FusedMultiplyAdd(row, v2, a02);
            row = Vector256.Load(x1 + i);
            a10 = Vector256.FusedMultiplyAdd(row, v0, a10);
            a11 = Vector256.FusedMultiplyAdd(row, v1, a11);
            a12 = Vector256.FusedMultiplyAdd(row, v2, a12);
            row = Vector256.Load(x2 + i);
            a20 = Vector256.FusedMultiplyAdd(row, v0, a20);
            a21 = Vector256.FusedMultiplyAdd(row, v1, a21);
            a22 = Vector256.FusedMultiplyAdd(row, v2, a22);
            row = Vector256.Load(x3 + i);
            a30 = Vector256.FusedMultiplyAdd(row, v0, a30);
            a31 = Vector256.FusedMultiplyAdd(row, v1, a31);
            a32 = Vector256.FusedMultiplyAdd(row, v2, a32);
        }

        Finish3(a00, a01, a02, x, w, strideW, whole, inputs, bias, y);
        Finish3(a10, a11, a12, x1, w, strideW, whole, inputs, bias, y + strideY);
        Finish3(a20, a21, a22, x2, w, strideW, whole, inputs, bias, y + (2 * strideY));
        Finish3(a30, a31, a32, x3, w, strideW, whole, inputs, bias, y + (3 * strideY));
    }

    private static void Tile1x3(float* x, float* w, long strideW, int inputs, float* bias, float* y)
    {
        Vector256<float> a0 = default, a1 = default, a2 = default;
        float* w1 = w + strideW, w2 = w1 + strideW;
        var whole = inputs & -Lanes;
        for (var i = 0; i < whole; i += Lanes)
        {
            var row = Vector256.Load(x + i);
            a0 = Vector256.FusedMultiplyAdd(row, Vector256.Load(w + i), a0);
            a1 = Vector256.FusedMultiplyAdd(row, Vector256.Load(w1 + i), a1);
            a2 = Vector256.FusedMultiplyAdd(row, Vector256.Load(w2 + i), a2);
        }

        Finish3(a0, a1, a2, x, w, strideW, whole, inputs, bias, y);
    }

    private static float Dot(float* x, float* w, int inputs)
    {
        var sum = Vector256<float>.Zero;
        var whole = inputs & -Lanes;
        for (var i = 0; i < whole; i += Lanes)
        {
            sum = Vector256.FusedMultiplyAdd(Vector256.Load(x + i), Vector256.Load(w + i), sum);
        }

        return Finish(sum, x, w, whole, inputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish3(
        Vector256<float> a0, Vector256<float> a1, Vector256<float> a2, float* x, float* w, long strideW, int whole, int inputs, float* bias, float* y)
    {
        y[0] = Finish(a0, x, w, whole, inputs) + (bias is null ? 0 : bias[0]);
        y[1] = Finish(a1, x, w + strideW, whole, inputs) + (bias is null ? 0 : bias[1]);
        y[2] = Finish(a2, x, w + (2 * strideW), whole, inputs) + (bias is null ? 0 : bias[2]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Finish(Vector256<float> lanes, float* x, float* w, int whole, int inputs)
    {
        var half = lanes.GetLower() + lanes.GetUpper();
        var result = half[0] + half[2] + (half[1] + half[3]);
        for (var i = whole; i < inputs; i++)
        {
            result = float.FusedMultiplyAdd(x[i], w[i], result);
        }

        return result;
    }
}

/// <summary>Rows of float32 in native memory: a tensor's, for as long as the tensor lives.</summary>
internal readonly unsafe struct RowSpan
{
    private readonly float* _start;

    public RowSpan(float* start, int rows, int columns, long stride)
    {
        _start = start;
        (Rows, Columns, Stride) = (rows, columns, stride);
    }

    public int Rows { get; }

    public int Columns { get; }

    public long Stride { get; }

    public static RowSpan Of(Tensor rows_MI)
    {
        // One row, because the bytes of a whole tensor may be more than a span can count.
        using var first_1I = rows_MI.narrow(0, 0, 1);
        var columns = (int)rows_MI.size(1);
        return new RowSpan(Pointer(first_1I), (int)rows_MI.size(0), columns, rows_MI.stride(0));
    }

    public static float* Pointer(Tensor contiguous) =>
        (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(contiguous.bytes));

    public float* Row(int row) => _start + (row * Stride);

    public RowSpan Part(int firstRow, int rows) => new(Row(firstRow), rows, Columns, Stride);

    public RowSpan Slice(int firstColumn, int columns) => new(_start + firstColumn, Rows, columns, Stride);
}
