using System.Runtime.Intrinsics;

namespace InstructTune.Modeling.Driver;

/// <summary>What softmax does to a row of any length, in attention and in the loss.</summary>
internal static unsafe class RowValues
{
    private const int Lanes = 8;

    public static float Greatest(float* row, int length)
    {
        var most = Vector256.Create(float.NegativeInfinity);
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            most = Vector256.MaxNative(most, Vector256.Load(row + i));
        }

        var greatest = float.NegativeInfinity;
        for (var lane = 0; lane < Lanes; lane++)
        {
            greatest = Math.Max(greatest, most[lane]);
        }

        for (; i < length; i++)
        {
            greatest = Math.Max(greatest, row[i]);
        }

        return greatest;
    }

    public static void Scale(float* row, int length, float factor)
    {
        var scale = Vector256.Create(factor);
        var i = 0;
        for (; i + Lanes <= length; i += Lanes)
        {
            (Vector256.Load(row + i) * scale).Store(row + i);
        }

        for (; i < length; i++)
        {
            row[i] *= factor;
        }
    }
}
