using System.Runtime.Intrinsics;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Driver;

/// <summary>Turns heads in place by the angles of their rows, or back. The first half of the sines is negated, as in <see cref="RotaryTable"/>.</summary>
internal static unsafe class RotaryRows
{
    private const int Lanes = 8;

    /// <param name="x">Rows that begin with the heads.</param>
    /// <param name="heads">How many to turn.</param>
    /// <param name="cosines">By row; fewer rows than x repeat.</param>
    /// <param name="sines">As cosines.</param>
    /// <param name="back">The transpose: gradients.</param>
    public static void Turn(RowSpan x, int heads, RowSpan cosines, RowSpan sines, bool back)
    {
        var half = cosines.Columns / 2;
        RowThreads.For(x.Rows, (long)x.Rows * heads * cosines.Columns, (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                var angle = row % cosines.Rows;
                for (var head = 0; head < heads; head++)
                {
                    TurnHead(x.Row(row) + (head * 2 * half), cosines.Row(angle), sines.Row(angle) + half, half, back ? -1 : 1);
                }
            }
        });
    }

    private static void TurnHead(float* x, float* cosines, float* sines, int half, float sign)
    {
        var direction = Vector256.Create(sign);
        var i = 0;
        for (; i + Lanes <= half; i += Lanes)
        {
            var (first, second) = (Vector256.Load(x + i), Vector256.Load(x + half + i));
            var (cos, sin) = (Vector256.Load(cosines + i), Vector256.Load(sines + i) * direction);
            ((first * cos) - (second * sin)).Store(x + i);
            ((second * cos) + (first * sin)).Store(x + half + i);
        }

        for (; i < half; i++)
        {
            var (first, second, sin) = (x[i], x[half + i], sines[i] * sign);
            x[i] = (first * cosines[i]) - (second * sin);
            x[half + i] = (second * cosines[i]) + (first * sin);
        }
    }
}
