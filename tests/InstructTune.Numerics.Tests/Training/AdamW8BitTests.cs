using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>Against bitsandbytes with the exact rule for codes: weights, codes and scales after every step.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class AdamW8BitTests
{
    [Fact]
    public void Every_weight_code_and_scale_of_the_reference_trace_comes_out()
    {
        using var scope = NewDisposeScope();
        var trace = ReferenceOutputs.Json("optim", "optimizers.json").GetProperty("traces").EnumerateArray()
            .Single(entry => entry.GetProperty("name").GetString() == "adamw8bit_exact");
        using var reader = SafetensorsReader.Open(Path.Combine(ReferenceOutputs.Folder("optim"), "adamw8bit_exact.safetensors"));
        var weights = new[] { "big", "below_limit" }.Select(name => new NamedTensor(name, reader.Read(name + ".p0").requires_grad_())).ToArray();
        var settings = OptimizerReferences.AdamW(trace);
        using var optimizer = Optimizer.Create(
            weights,
            new AdamW8BitSettings(settings.Beta1, settings.Beta2, settings.Epsilon, settings.WeightDecay)
            {
                SignedMap = reader.Read("qmap1_signed").data<float>().ToArray(), UnsignedMap = reader.Read("qmap2_unsigned").data<float>().ToArray(),
            });
        ParityLog.Skip("8-bit optimizer weights", "adamw8bit_cpu_backend", "a coarser rule for codes, which misses the nearest level at times");
        for (var step = 0; step < trace.GetProperty("steps").GetInt32(); step++)
        {
            foreach (var weight in weights)
            {
                weight.Value.grad = reader.Read(weight.Name + ".grad")[step].contiguous();
            }

            optimizer.Step(OptimizerReferences.Rate(trace, step));
            var moments = optimizer.Moments().ToDictionary(moment => moment.Name, moment => moment.Value, StringComparer.Ordinal);
            Parity.Equal("8-bit optimizer codes", $"mean/{step}", moments["big.exp_avg.codes"], reader.Read("big.state1")[step]);
            Parity.Equal("8-bit optimizer codes", $"square/{step}", moments["big.exp_avg_sq.codes"], reader.Read("big.state2")[step]);
            AssertClose(reader.Read("big.absmax1")[step], moments["big.exp_avg.absmax"]);
            AssertClose(reader.Read("big.absmax2")[step], moments["big.exp_avg_sq.absmax"]);
            AssertClose(reader.Read("below_limit.state1")[step], moments["below_limit.exp_avg"]);
            AssertClose(reader.Read("below_limit.state2")[step], moments["below_limit.exp_avg_sq"]);
            AssertClose(reader.Read("big.p")[step], weights[0].Value);
            AssertClose(reader.Read("below_limit.p")[step], weights[1].Value);
        }
    }

    [Fact]
    public void A_restored_state_continues_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(Run(restoreAfter: null), Run(restoreAfter: 2));
    }

    private static float[] Run(int? restoreAfter)
    {
        var weight = arange(5000, dtype: ScalarType.Float32).div(5000).requires_grad_();
        var optimizer = Optimizer.Create([new NamedTensor("w", weight)], new AdamW8BitSettings(WeightDecay: 0.1));
        for (var step = 0; step < 4; step++)
        {
            if (step == restoreAfter)
            {
                var saved = optimizer.Moments().ToDictionary(moment => moment.Name, moment => moment.Value.clone(), StringComparer.Ordinal);
                var count = optimizer.StepCount;
                optimizer.Dispose();
                optimizer = Optimizer.Create([new NamedTensor("w", weight)], new AdamW8BitSettings(WeightDecay: 0.1));
                optimizer.Restore(saved, count);
            }

            weight.grad = weight.detach().mul(step + 1).sin();
            optimizer.Step(0.01);
        }

        optimizer.Dispose();
        return weight.data<float>().ToArray();
    }

    // Relative to the size of what is compared: scales of squares are large.
    private static void AssertClose(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        var size = expected.abs().clamp(min: 1);
        Parity.Within("8-bit optimizer weights", "adamw8bit_exact", ((actual.detach() - expected) / size).abs().max().item<float>(), 1e-6);
    }
}
