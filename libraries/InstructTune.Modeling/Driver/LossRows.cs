using System.Runtime.Intrinsics;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Driver;

/// <summary>Cross-entropy of rows of scores, which become their own gradients.</summary>
internal static unsafe class LossRows
{
    private const int Lanes = 8;

    // Sums within a block are float32, sums of blocks float64.
    private const int BlockColumns = 512;

    /// <summary>Returns the sum of the rows' losses, in nats; scores become (softmax - one at the label) / <paramref name="count"/>.</summary>
    public static double Replace(RowSpan scores, ReadOnlySpan<long> labels, double count)
    {
        var wanted = labels.ToArray();
        var losses = new double[scores.Rows];
        RowThreads.For(scores.Rows, (long)scores.Rows * scores.Columns, (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                losses[row] = ReplaceRow(scores.Row(row), scores.Columns, (int)wanted[row], count);
            }
        });
        return losses.Sum();
    }

    private static double ReplaceRow(float* row, int length, int label, double count)
    {
        var greatest = RowValues.Greatest(row, length);
        var wanted = row[label];
        var sum = ExpInPlace(row, length, greatest);
        RowValues.Scale(row, length, (float)(1 / (sum * count)));
        row[label] -= (float)(1 / count);
        return Math.Log(sum) - (wanted - (double)greatest);
    }

    private static double ExpInPlace(float* row, int length, float shift)
    {
        var offset = Vector256.Create(shift);
        var total = 0.0;
        for (var start = 0; start < length; start += BlockColumns)
        {
            var end = Math.Min(length, start + BlockColumns);
            var sum = Vector256<float>.Zero;
            var i = start;
            for (; i + Lanes <= end; i += Lanes)
            {
                var value = VectorMath.Exp(Vector256.Load(row + i) - offset);
                value.Store(row + i);
                sum += value;
            }

            total += Vector256.Sum(sum);
            for (; i < end; i++)
            {
                row[i] = VectorMath.Exp(Vector256.Create(row[i] - shift))[0];
                total += row[i];
            }
        }

        return total;
    }
}
