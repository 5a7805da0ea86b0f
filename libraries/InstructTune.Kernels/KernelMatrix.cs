using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>Fills a row of a matrix; <paramref name="row"/> has as many values as the matrix has inputs.</summary>
public delegate void RowReader(int output, Span<float> row);

/// <summary>
/// The weights of a linear layer, packed for few rows of activations. Groups of eight outputs lie interleaved, so that one broadcast
/// activation meets eight weights and eight sums end in one vector. Every result is one sum in ascending order of inputs, whatever rows
/// stand beside it: its bits depend on its own row and weights only.
/// </summary>
public abstract unsafe class KernelMatrix : IDisposable
{
    /// <summary>Outputs that are interleaved; shares of work begin at multiples of it.</summary>
    public const int GroupOutputs = 8;

    /// <summary>Activation rows that share one read of the weights.</summary>
    private protected const int TileRows = 4;

    private const int PanelBytes = 1 << 18;

    private protected KernelMatrix(int outputs, int inputs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        (Outputs, Inputs) = (outputs, inputs);
        Blocks = (inputs + ActivationRows.BlockColumns - 1) / ActivationRows.BlockColumns;
        Groups = (outputs + GroupOutputs - 1) / GroupOutputs;
    }

    /// <summary>Rows of the weight as Hugging Face stores it.</summary>
    public int Outputs { get; }

    /// <summary>Its columns.</summary>
    public int Inputs { get; }

    /// <summary>Bytes in memory.</summary>
    public abstract long SizeBytes { get; }

    /// <summary>Whether products read the int8 form of activations.</summary>
    public abstract bool ReadsCodes { get; }

    private protected int Blocks { get; }

    private protected int Groups { get; }

    /// <summary>Groups that are multiplied together where so many are left.</summary>
    private protected virtual int GroupsAtOnce(int left) => 1;

    /// <summary>Repacks a matrix that is stored in blocks: no number changes. <paramref name="inputs"/> is a multiple of 32.</summary>
    public static KernelMatrix Repack(BlockFormat format, int outputs, int inputs, StoredRowReader rows)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(inputs % ActivationRows.BlockColumns, 0, nameof(inputs));
        return CodeMatrices.Best.Repack(format, outputs, inputs, rows);
    }

    /// <summary>Packs a matrix row by row; the whole of it is never held in float32, except as <see cref="WeightFormat.Float32"/>.</summary>
    public static KernelMatrix Create(WeightFormat format, int outputs, int inputs, RowReader rows) => format switch
    {
        WeightFormat.Float32 => Float<Float32Format>(outputs, inputs, rows),
        WeightFormat.BFloat16 => Float<BFloat16Format>(outputs, inputs, rows),
        _ => CodeMatrices.Best.Quantize(format, outputs, inputs, rows),
    };

    /// <summary>
    /// y = x W^T for some of the outputs, whose first is a multiple of <see cref="GroupOutputs"/>. Rows of y need room for whole groups.
    /// </summary>
    /// <param name="x">The activations; quantised before, where <see cref="ReadsCodes"/>.</param>
    /// <param name="rows">Which of its rows.</param>
    /// <param name="y">Output 0 of row 0 of x, whichever rows are asked for.</param>
    /// <param name="strideY">Floats from one row of y to the next.</param>
    /// <param name="outputs">Which outputs.</param>
    public void Multiply(ActivationRows x, Share rows, float* y, long strideY, Share outputs)
    {
        var panel = PanelRows(x);
        for (var from = rows.From; from < rows.To; from += panel)
        {
            MultiplyPanel(x, new Share(from, Math.Min(rows.To, from + panel)), y, strideY, outputs);
        }
    }

    /// <summary>The weights of one output as they are computed with, for comparison and for reading back.</summary>
    public abstract void ReadRow(int output, Span<float> row);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>The outputs of a group that exist.</summary>
    private protected IEnumerable<int> OutputsOf(int group)
    {
        for (var output = group * GroupOutputs; output < Math.Min(Outputs, (group + 1) * GroupOutputs); output++)
        {
            yield return output;
        }
    }

    /// <summary>Fills group after group, on all cores; each call has a row of its own to work with. Readers of rows are called by several threads.</summary>
    private protected void FillGroups(Action<int, float[]> fill) =>
        Parallel.For(0, Groups, () => new float[Inputs], (group, _, row) =>
        {
            fill(group, row);
            return row;
        }, static _ => { });

    /// <summary>Rows whose activations stay in the cache of a core while all weights pass by.</summary>
    private int PanelRows(ActivationRows x) =>
        Math.Max(TileRows, (int)(PanelBytes / ((long)x.Stride * (ReadsCodes ? sizeof(sbyte) : sizeof(float)))) / TileRows * TileRows);

    private void MultiplyPanel(ActivationRows x, Share rows, float* y, long strideY, Share outputs)
    {
        var (group, end) = (outputs.From / GroupOutputs, (outputs.To + GroupOutputs - 1) / GroupOutputs);
        while (group < end)
        {
            var groups = GroupsAtOnce(end - group);
            var row = rows.From;
            for (; row + TileRows <= rows.To; row += TileRows)
            {
                MultiplyTile(x, row, y + (row * strideY) + (group * GroupOutputs), strideY, group, groups);
            }

            for (; row < rows.To; row++)
            {
                MultiplyRow(x, row, y + (row * strideY) + (group * GroupOutputs), group, groups);
            }

            group += groups;
        }
    }

    /// <summary>The outputs of some groups, as many as <see cref="GroupsAtOnce"/> said, of one row.</summary>
    private protected abstract void MultiplyRow(ActivationRows x, int row, float* y, int group, int groups);

    /// <summary>The same of four rows, with the bits of <see cref="MultiplyRow"/>.</summary>
    private protected abstract void MultiplyTile(ActivationRows x, int row, float* y, long strideY, int group, int groups);

    private static KernelMatrix Float<TFormat>(int outputs, int inputs, RowReader rows)
        where TFormat : struct, IFloatFormat =>
        Vector512.IsHardwareAccelerated ? new FloatMatrix<TFormat, Lanes16>(outputs, inputs, rows) : new FloatMatrix<TFormat, Lanes8By2>(outputs, inputs, rows);
}
