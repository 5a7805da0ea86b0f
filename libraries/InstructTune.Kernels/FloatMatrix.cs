namespace InstructTune.Kernels;

/// <summary>Weights without scales. Group by group, input by input: the eight weights of an input lie together.</summary>
/// <typeparam name="TFormat">How a weight is stored.</typeparam>
/// <typeparam name="TLanes">The sums that are made at once; what is left over of the groups is summed in <see cref="Lanes8"/>.</typeparam>
internal sealed unsafe class FloatMatrix<TFormat, TLanes> : KernelMatrix
    where TFormat : struct, IFloatFormat
    where TLanes : struct, ILanes<TLanes>
{
    private readonly AlignedBuffer<byte> _weights;

    public FloatMatrix(int outputs, int inputs, RowReader rows)
        : base(outputs, inputs)
    {
        _weights = new AlignedBuffer<byte>(Groups * GroupBytes);
        var row = new float[inputs];
        for (var output = 0; output < outputs; output++)
        {
            rows(output, row);
            var at = At(output, 0);
            foreach (var weight in row)
            {
                TFormat.Write(at, weight);
                at += InputBytes;
            }
        }
    }

    public override long SizeBytes => _weights.SizeBytes;

    public override bool ReadsCodes => false;

    private static int ManyGroups => TLanes.Groups * FloatSums<TFormat, TLanes>.LanesOfRow;

    private protected override int GroupsAtOnce(int left) => left >= ManyGroups ? ManyGroups : left >= TLanes.Groups ? TLanes.Groups : 1;

    private static int InputBytes => GroupOutputs * TFormat.Bytes;

    private long GroupBytes => (long)Inputs * InputBytes;

    public override void ReadRow(int output, Span<float> row)
    {
        for (var i = 0; i < Inputs; i++)
        {
            row[i] = TFormat.Read(At(output, i));
        }
    }

    public override void Dispose() => _weights.Dispose();

    private protected override void MultiplyRow(ActivationRows x, int row, float* y, int group, int groups)
    {
        float* values = x.Row(row);
        byte* weights = At(group * GroupOutputs, 0);
        if (groups == ManyGroups)
        {
            FloatSums<TFormat, TLanes>.Row(values, weights, GroupBytes, Inputs, y);
        }
        else if (groups == TLanes.Groups)
        {
            FloatSums<TFormat, TLanes>.NarrowRow(values, weights, GroupBytes, Inputs, y);
        }
        else
        {
            FloatSums<TFormat, Lanes8>.NarrowRow(values, weights, GroupBytes, Inputs, y);
        }
    }

    private protected override void MultiplyTile(ActivationRows x, int row, float* y, long strideY, int group, int groups)
    {
        var tile = new RowTile(x.Row(row), x.Stride, y, strideY);
        var isNarrow = groups == 1 || TLanes.Groups == 1;
        for (var done = 0; done < groups; done += TLanes.Groups)
        {
            var weights = At((group + done) * GroupOutputs, 0);
            if (isNarrow)
            {
                FloatSums<TFormat, Lanes8>.NarrowTile(tile.At(done * GroupOutputs), weights, GroupBytes, Inputs);
            }
            else
            {
                FloatSums<TFormat, TLanes>.Tile(tile.At(done * GroupOutputs), weights, GroupBytes, Inputs);
            }
        }
    }

    private byte* At(int output, int input) =>
        _weights.Pointer + (output / GroupOutputs * GroupBytes) + ((long)input * InputBytes) + (output % GroupOutputs * TFormat.Bytes);
}
