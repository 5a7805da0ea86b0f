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

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 4) - 2))];
    }
}
