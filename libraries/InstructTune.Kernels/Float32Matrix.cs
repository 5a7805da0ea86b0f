using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>Group by group, input by input: the eight weights of an input lie together.</summary>
internal sealed unsafe class Float32Matrix : KernelMatrix
{
    private readonly AlignedBuffer<float> _weights;

    public Float32Matrix(int outputs, int inputs, RowReader rows)
        : base(outputs, inputs)
    {
        _weights = new AlignedBuffer<float>((long)Groups * GroupOutputs * inputs);
        var row = new float[inputs];
        for (var output = 0; output < outputs; output++)
        {
            rows(output, row);
            for (var i = 0; i < inputs; i++)
            {
                _weights.Pointer[At(output, i)] = row[i];
            }
        }
    }

    public override long SizeBytes => _weights.SizeBytes;

    public override bool ReadsCodes => false;

    public override void ReadRow(int output, Span<float> row)
    {
        for (var i = 0; i < Inputs; i++)
        {
            row[i] = _weights.Pointer[At(output, i)];
        }
    }

    public override void Dispose() => _weights.Dispose();

    private protected override void MultiplyRow(ActivationRows x, int row, float* y, int group)
    {
        float* values = x.Row(row), weights = _weights.Pointer + At(group * GroupOutputs, 0);
        var total = Vector256<float>.Zero;
        for (var start = 0; start < Inputs; start += SumColumns)
        {
            var end = Math.Min(start + SumColumns, Inputs);
            var sum = Vector256<float>.Zero;
            for (var i = start; i < end; i++)
            {
                sum = Vector256.FusedMultiplyAdd(Vector256.Load(weights + ((long)i * GroupOutputs)), Vector256.Create(values[i]), sum);
            }

            total += sum;
        }

        total.Store(y);
    }

    private protected override void MultiplyTile(ActivationRows x, int row, float* y, long strideY, int group)
    {
        float* x0 = x.Row(row), x1 = x0 + x.Stride, x2 = x1 + x.Stride, x3 = x2 + x.Stride, weights = _weights.Pointer + At(group * GroupOutputs, 0);
        Vector256<float> t0 = default, t1 = default, t2 = default, t3 = default;
        for (var start = 0; start < Inputs; start += SumColumns)
        {
            var end = Math.Min(start + SumColumns, Inputs);
            Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var i = start; i < end; i++)
            {
                var weight = Vector256.Load(weights + ((long)i * GroupOutputs));
                s0 = Vector256.FusedMultiplyAdd(weight, Vector256.Create(x0[i]), s0);
                s1 = Vector256.FusedMultiplyAdd(weight, Vector256.Create(x1[i]), s1);
                s2 = Vector256.FusedMultiplyAdd(weight, Vector256.Create(x2[i]), s2);
                s3 = Vector256.FusedMultiplyAdd(weight, Vector256.Create(x3[i]), s3);
            }

            t0 += s0;
            t1 += s1;
            t2 += s2;
            t3 += s3;
        }

        t0.Store(y);
        t1.Store(y + strideY);
        t2.Store(y + (2 * strideY));
        t3.Store(y + (3 * strideY));
    }

    private long At(int output, int input) =>
        ((((long)(output / GroupOutputs) * Inputs) + input) * GroupOutputs) + (output % GroupOutputs);
}
