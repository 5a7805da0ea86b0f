using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Driver;

/// <summary>silu(gate) * up over rows that hold the gate in their first half and up in their second, there and back.</summary>
internal static unsafe class GateRows
{
    private const int Lanes = 8;

    public static void Forward(RowSpan gateUp, RowSpan y) =>
        RowThreads.For(y.Rows, (long)y.Rows * y.Columns, (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                ForwardRow(gateUp.Row(row), y.Row(row), y.Columns);
            }
        });

    /// <summary>Makes y anew, and puts the gradients of gate and up in their places.</summary>
    public static void Backward(RowSpan gateUp, RowSpan dy, RowSpan y) =>
        RowThreads.For(y.Rows, (long)y.Rows * y.Columns, (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                BackwardRow(gateUp.Row(row), dy.Row(row), y.Row(row), y.Columns);
            }
        });

    private static void ForwardRow(float* gateUp, float* y, int length)
    {
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            var gate = Vector256.Load(gateUp + i);
            (gate * VectorMath.Sigmoid(gate) * Vector256.Load(gateUp + length + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            var gate = gateUp[i];
            y[i] = gate * VectorMath.Sigmoid(Vector256.Create(gate))[0] * gateUp[length + i];
        }
    }

    private static void BackwardRow(float* gateUp, float* dy, float* y, int length)
    {
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            var (value, gateGradient, upGradient) = Element(Vector256.Load(gateUp + i), Vector256.Load(gateUp + length + i), Vector256.Load(dy + i));
            value.Store(y + i);
            gateGradient.Store(gateUp + i);
            upGradient.Store(gateUp + length + i);
        }

        for (; i < length; i++)
        {
            var (value, gateGradient, upGradient) = Element(Vector256.Create(gateUp[i]), Vector256.Create(gateUp[length + i]), Vector256.Create(dy[i]));
            (y[i], gateUp[i], gateUp[length + i]) = (value[0], gateGradient[0], upGradient[0]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Value, Vector256<float> GateGradient, Vector256<float> UpGradient) Element(
        Vector256<float> gate, Vector256<float> up, Vector256<float> dy)
    {
        var sigmoid = VectorMath.Sigmoid(gate);
        var silu = gate * sigmoid;
        var slope = Vector256.FusedMultiplyAdd(silu, Vector256<float>.One - sigmoid, sigmoid);
        return (silu * up, dy * up * slope, dy * silu);
    }
}
