using InstructTune.Kernels;

namespace InstructTune.Numerics.Tests.Kernels;

public sealed unsafe class RowMathTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(75)]
    public void The_norm_is_that_of_its_formula(int length)
    {
        var (x, weight, y) = (Values(length, 1), Values(length, 2), new float[length]);
        fixed (float* px = x, pw = weight, py = y)
        {
            RowMath.RmsNorm(px, pw, py, length, 1e-5f);
        }

        var root = Math.Sqrt((x.Sum(v => (double)v * v) / length) + 1e-5);
        Assert.All(Enumerable.Range(0, length), i => Assert.Equal(x[i] / root * weight[i], y[i], 1e-6));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(40)]
    public void SwiGlu_gates_by_the_sigmoid(int length)
    {
        var (gate, up, y) = (Values(length, 3), Values(length, 4), new float[length]);
        fixed (float* pg = gate, pu = up, py = y)
        {
            RowMath.SwiGlu(pg, pu, py, length);
        }

        Assert.All(Enumerable.Range(0, length), i => Assert.Equal(gate[i] / (1 + Math.Exp(-gate[i])) * up[i], y[i], 1e-6));
    }

    [Theory]
    [InlineData(1, 32)]
    [InlineData(5, 16)]
    [InlineData(100, 64)]
    [InlineData(9, 20)]
    public void Attention_mixes_values_by_the_softmax_of_products(int tokens, int width)
    {
        const int Heads = 3;
        var (q, keys, values) = (Values(Heads * width, 5), Values(tokens * width, 6), Values(tokens * width, 7));
        var (scores, y) = (new float[tokens + 3], new float[Heads * width]);
        var scale = 1 / MathF.Sqrt(width);
        fixed (float* pq = q, pk = keys, pv = values, ps = scores, py = y)
        {
            Attention.Attend(pq, pk, pv, tokens, Heads, width, scale, ps, py);
        }

        for (var head = 0; head < Heads; head++)
        {
            var weights = Enumerable.Range(0, tokens)
                .Select(t => Math.Exp(Enumerable.Range(0, width).Sum(i => (double)q[(head * width) + i] * keys[(t * width) + i]) * scale)).ToArray();
            for (var i = 0; i < width; i++)
            {
                var expected = Enumerable.Range(0, tokens).Sum(t => weights[t] * values[(t * width) + i]) / weights.Sum();
                Assert.Equal(expected, y[(head * width) + i], 1e-5);
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(128)]
    public void Four_products_at_a_time_have_the_bits_of_the_scalar_twin(int length)
    {
        var (x, y, twin) = (Values(length, 1), Values(4 * length, 2), new float[4]);
        for (var row = 0; row < 4; row++)
        {
            var lanes = new float[8];
            for (var i = 0; i < length; i++)
            {
                lanes[i % 8] = MathF.FusedMultiplyAdd(x[i], y[(row * length) + i], lanes[i % 8]);
            }

            twin[row] = RowMath.Tree(System.Runtime.Intrinsics.Vector256.Create(lanes));
        }

        fixed (float* px = x, py = y)
        {
            var four = RowMath.DotFour(px, py, py + length, py + (2 * length), py + (3 * length), length);
            Assert.Equal(twin, new[] { four[0], four[1], four[2], four[3] });
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(37)]
    public void Rotation_turns_each_pair_by_its_angle(int half)
    {
        var (x, angles) = (Values(2 * half, 8), Values(half, 9));
        var (turned, cosines, sines) = ((float[])x.Clone(), angles.Select(MathF.Cos).ToArray(), angles.Select(MathF.Sin).ToArray());
        fixed (float* px = turned, pc = cosines, ps = sines)
        {
            RowMath.Rotate(px, pc, ps, half);
        }

        for (var i = 0; i < half; i++)
        {
            var (first, second, angle) = ((double)x[i], (double)x[half + i], (double)angles[i]);
            Assert.Equal((first * Math.Cos(angle)) - (second * Math.Sin(angle)), turned[i], 1e-6);
            Assert.Equal((second * Math.Cos(angle)) + (first * Math.Sin(angle)), turned[half + i], 1e-6);
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(40)]
    [InlineData(67)]
    public void Sums_and_products_of_rows_have_the_bits_of_their_scalar_twins(int length)
    {
        var (x, y) = (Values(length, 10), Values(length, 11));
        float[] added = [.. y], scaled = [.. y], multiplied = [.. y];
        fixed (float* px = x, pa = added, ps = scaled, pm = multiplied)
        {
            RowMath.Add(px, pa, length);
            RowMath.AddScaled(px, 0.3f, ps, length);
            RowMath.MultiplyBy(px, pm, length);
        }

        Assert.Equal(x.Zip(y, static (a, b) => a + b), added);
        Assert.Equal(x.Zip(y, static (a, b) => MathF.FusedMultiplyAdd(a, 0.3f, b)), scaled);
        Assert.Equal(x.Zip(y, static (a, b) => b * a), multiplied);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(75)]
    public void Activations_are_quantised_as_their_scalar_twin_does_it(int columns)
    {
        using var rows = new ActivationRows(2, columns);
        var values = Values(columns, 12);
        values.CopyTo(new Span<float>(rows.Row(1), columns));
        rows.Quantize(1, 2);

        for (var block = 0; block < rows.Blocks; block++)
        {
            var own = Enumerable.Range(block * 32, 32).Select(i => i < columns ? values[i] : 0f).ToArray();
            var most = own.Max(MathF.Abs);
            int[] codes = [.. own.Select(value => (int)MathF.Round(value * (127f / most), MidpointRounding.ToEven))];
            Assert.Equal(most / 127f, rows.Scales(1)[block]);
            Assert.Equal(codes, Enumerable.Range(0, 32).Select(i => (int)rows.Codes(1)[(block * 32) + i]));
            Assert.Equal(8 * codes.Sum(), rows.OffsetSums(1)[block]);
            Assert.Equal(most / 127f * codes.Sum(), rows.WeightedSums(1)[block]);
        }
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 4) - 2))];
    }
}
