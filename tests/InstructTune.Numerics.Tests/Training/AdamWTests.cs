using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

public sealed class AdamWTests
{
    [Fact]
    public void Three_steps_in_double_precision_follow_the_formula()
    {
        using var scope = NewDisposeScope();
        var weight = tensor(new[] { 1.0 }).requires_grad_();
        using var optimizer = Optimizer.Create([new NamedTensor("w", weight)], new AdamWSettings(WeightDecay: 0.1));
        var seen = new List<(double Weight, double Mean, double Square)>();
        foreach (var gradient in new[] { 0.5, -0.25, 2.0 })
        {
            weight.grad = tensor(new[] { gradient });
            optimizer.Step(1e-2);
            var moments = optimizer.Moments();
            seen.Add((weight.item<double>(), moments[0].Value.item<double>(), moments[1].Value.item<double>()));
        }

        (double Weight, double Mean, double Square)[] expected =
            [(0.9890000002, 0.05, 0.00025), (0.9853476298705847, 0.02, 0.00031225), (0.9776558058228447, 0.218, 0.00431193775)];
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Weight, seen[i].Weight, 1e-12);
            Assert.Equal(expected[i].Mean, seen[i].Mean, 1e-12);
            Assert.Equal(expected[i].Square, seen[i].Square, 1e-12);
        }
    }

    [Theory]
    [InlineData("model.layers.0.input_layernorm.weight", false)]
    [InlineData("model.norm.weight", false)]
    [InlineData("model.layers.0.self_attn.q_proj.bias", false)]
    [InlineData("model.embed_tokens.weight", true)]
    [InlineData("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", true)]
    public void Biases_and_norms_do_not_decay(string name, bool decays) => Assert.Equal(decays, Optimizer.Decays(name));

    [Fact]
    public void Without_decay_a_weight_without_gradient_signal_stays()
    {
        using var scope = NewDisposeScope();
        var norm = ones(3).requires_grad_();
        var matrix = ones(3).requires_grad_();
        using var optimizer = Optimizer.Create([new NamedTensor("norm.weight", norm), new NamedTensor("proj.weight", matrix)], new AdamWSettings(WeightDecay: 0.5));
        norm.grad = zeros(3);
        matrix.grad = zeros(3);
        optimizer.Step(0.1);
        Assert.Equal([1f, 1f, 1f], norm.data<float>().ToArray());
        Assert.All(matrix.data<float>().ToArray(), value => Assert.Equal(0.95f, value, 1e-6f));
    }

    [Fact]
    public void A_restored_optimizer_continues_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var straight = Run(restoreAfter: null);
        var restored = Run(restoreAfter: 3);
        Assert.Equal(straight, restored);
    }

    [Fact]
    public void A_state_of_another_shape_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var optimizer = Optimizer.Create([new NamedTensor("w", ones(2).requires_grad_())], new AdamWSettings());
        var saved = new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["w.exp_avg"] = ones(3), ["w.exp_avg_sq"] = ones(2) };
        Assert.Contains("w.exp_avg", Assert.Throws<InvalidOperationException>(() => optimizer.Restore(saved, 1)).Message, StringComparison.Ordinal);
    }

    private static float[] Run(int? restoreAfter)
    {
        var weight = arange(8, dtype: ScalarType.Float32).div(8).requires_grad_();
        var optimizer = Optimizer.Create([new NamedTensor("w", weight)], new AdamWSettings(WeightDecay: 0.1));
        for (var step = 0; step < 6; step++)
        {
            if (step == restoreAfter)
            {
                var saved = optimizer.Moments().ToDictionary(moment => moment.Name, moment => moment.Value.clone(), StringComparer.Ordinal);
                var count = optimizer.StepCount;
                optimizer.Dispose();
                optimizer = Optimizer.Create([new NamedTensor("w", weight)], new AdamWSettings(WeightDecay: 0.1));
                optimizer.Restore(saved, count);
            }

            weight.grad = weight.detach().mul(step + 1).sin();
            optimizer.Step(0.01);
        }

        optimizer.Dispose();
        return weight.data<float>().ToArray();
    }
}
