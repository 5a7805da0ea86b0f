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
            for (var i = 0; i < inputs; i++)
            {
                TFormat.Write(At(output, i), row[i]);
            }
        }
    }

    public override long SizeBytes => _weights.SizeBytes;

    public override bool ReadsCodes => false;

    private protected override int GroupsAtOnce => TLanes.Groups;

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
        if (groups == TLanes.Groups)
        {
            MultiplyRow<TLanes>(x.Row(row), y, group);
        }
        else
        {
            MultiplyRow<Lanes8>(x.Row(row), y, group);
        }
    }

    private protected override void MultiplyTile(ActivationRows x, int row, float* y, long strideY, int group, int groups)
    {
        if (groups == TLanes.Groups)
        {
            MultiplyTile<TLanes>(x.Row(row), x.Stride, y, strideY, group);
        }
        else
        {
            MultiplyTile<Lanes8>(x.Row(row), x.Stride, y, strideY, group);
        }
    }

    private void MultiplyRow<T>(float* values, float* y, int group)
        where T : struct, ILanes<T>
    {
        var weights = At(group * GroupOutputs, 0);
        var groupBytes = GroupBytes;
        T total = default;
        for (var start = 0; start < Inputs; start += SumColumns)
        {
            var end = Math.Min(start + SumColumns, Inputs);
            T sum = default;
            for (var i = start; i < end; i++, weights += InputBytes)
            {
                sum = T.MultiplyAdd(T.Load<TFormat>(weights, groupBytes), values + i, sum);
            }

            total = T.Add(total, sum);
        }

        T.Store(total, y);
    }

    private void MultiplyTile<T>(float* x0, int strideX, float* y, long strideY, int group)
        where T : struct, ILanes<T>
    {
        float* x1 = x0 + strideX, x2 = x1 + strideX, x3 = x2 + strideX;
        var weights = At(group * GroupOutputs, 0);
        var groupBytes = GroupBytes;
        T t0 = default, t1 = default, t2 = default, t3 = default;
        for (var start = 0; start < Inputs; start += SumColumns)
        {
            var end = Math.Min(start + SumColumns, Inputs);
            T s0 = default, s1 = default, s2 = default, s3 = default;
            for (var i = start; i < end; i++, weights += InputBytes)
            {
                var weight = T.Load<TFormat>(weights, groupBytes);
                s0 = T.MultiplyAdd(weight, x0 + i, s0);
                s1 = T.MultiplyAdd(weight, x1 + i, s1);
                s2 = T.MultiplyAdd(weight, x2 + i, s2);
                s3 = T.MultiplyAdd(weight, x3 + i, s3);
            }

            (t0, t1, t2, t3) = (T.Add(t0, s0), T.Add(t1, s1), T.Add(t2, s2), T.Add(t3, s3));
        }

        T.Store(t0, y);
        T.Store(t1, y + strideY);
        T.Store(t2, y + (2 * strideY));
        T.Store(t3, y + (3 * strideY));
    }

    private byte* At(int output, int input) =>
        _weights.Pointer + (output / GroupOutputs * GroupBytes) + ((long)input * InputBytes) + (output % GroupOutputs * TFormat.Bytes);
}
