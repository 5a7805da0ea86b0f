using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>Weights on the bfloat16 grid: an update of 1e-5 on a weight of 1 is lost by rounding to the nearest, and by nothing else.</summary>
public sealed class WeightRoundingTests
{
    private const int Steps = 1000;
    private const double Rate = 1e-5;

    [Fact]
    public void Masters_take_the_steps_of_float32_and_the_model_sees_them_rounded()
    {
        using var scope = NewDisposeScope();
        var (wide, narrow) = (Start(), Start());
        using var expected = Optimizer.Create([new NamedTensor("w", wide)], new AdamWSettings(WeightDecay: 0.1));
        using var optimizer = Optimizer.Create([new NamedTensor("w", narrow)], new AdamWSettings(WeightDecay: 0.1), null, WeightRounding.Masters);
        for (var step = 0; step < Steps; step++)
        {
            wide.grad = Gradient(step);
            narrow.grad = Gradient(step);
            expected.Step(Rate);
            optimizer.Step(Rate);
        }

        var master = optimizer.Moments().Single(moment => moment.Name == "w.master").Value;
        Assert.True(master.equal(wide).all().item<bool>());
        Assert.True(narrow.equal(wide.to_type(ScalarType.BFloat16).to_type(ScalarType.Float32)).all().item<bool>());
        Assert.True(narrow.ne(1).all().item<bool>(), "no weight moved");
        Assert.Null(master.grad);
    }

    [Fact]
    public void Stochastic_rounding_moves_the_mean_as_float32_moves_and_rounding_to_the_nearest_moves_nothing()
    {
        using var scope = NewDisposeScope();
        var (wide, narrow, nearest) = (Start(65536), Start(65536), Start(65536));
        using var expected = Optimizer.Create([new NamedTensor("w", wide)], new SgdSettings());
        using var optimizer = Optimizer.Create([new NamedTensor("w", narrow)], new SgdSettings(), null, WeightRounding.Stochastic, new StepSeed(4));
        using var plain = Optimizer.Create([new NamedTensor("w", nearest)], new SgdSettings());
        for (var step = 0; step < 100; step++)
        {
            foreach (var (weight, rule) in new[] { (wide, expected), (narrow, optimizer), (nearest, plain) })
            {
                weight.grad = ones(65536);
                rule.Step(1e-5);
            }

            using var frozen = no_grad();
            nearest.copy_(nearest.to_type(ScalarType.BFloat16));
        }

        Assert.Equal(1f, nearest.mean().item<float>());
        Assert.True(narrow.equal(narrow.to_type(ScalarType.BFloat16).to_type(ScalarType.Float32)).all().item<bool>());

        // Below 1 the grid is 1/256 wide: each of a hundred roundings has at most half of it as deviation.
        var deviation = 100 * 0.5 / 256 / Math.Sqrt(100.0 * 65536);
        Assert.Equal(wide.to_type(ScalarType.Float64).mean().item<double>(), narrow.to_type(ScalarType.Float64).mean().item<double>(), 5 * deviation);
        Assert.InRange(narrow.to_type(ScalarType.Float64).mean().item<double>(), 0.9985, 0.9995);
    }

    [Theory]
    [InlineData(WeightRounding.Masters)]
    [InlineData(WeightRounding.Stochastic)]
    public void A_restored_optimizer_goes_on_with_the_same_bits(WeightRounding rounding)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(Run(rounding, restoreAfter: null), Run(rounding, restoreAfter: 3));
    }

    private static float[] Run(WeightRounding rounding, int? restoreAfter)
    {
        var weight = Start().mul(1.2345f).detach().requires_grad_();
        var optimizer = Optimizer.Create([new NamedTensor("w", weight)], new AdamWSettings(), null, rounding, new StepSeed(8));
        for (var step = 0; step < 6; step++)
        {
            if (step == restoreAfter)
            {
                var saved = optimizer.Moments().ToDictionary(moment => moment.Name, moment => moment.Value.detach().clone(), StringComparer.Ordinal);
                var count = optimizer.StepCount;
                optimizer.Dispose();
                optimizer = Optimizer.Create([new NamedTensor("w", weight)], new AdamWSettings(), null, rounding, new StepSeed(8));
                optimizer.Restore(saved, count);
            }

            weight.grad = Gradient(step);
            optimizer.Step(1e-3);
        }

        optimizer.Dispose();
        return weight.data<float>().ToArray();
    }

    private static Tensor Start(int count = 64) => ones(count).requires_grad_();

    private static Tensor Gradient(int step) => linspace(0.5, 1.5, 64, ScalarType.Float32).mul(1 + (step % 3));
}
