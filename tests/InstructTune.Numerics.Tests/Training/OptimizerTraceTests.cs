using System.Text.Json;
using InstructTune.Modeling.Training;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

/// <summary>Traces of the peers' own optimizers and of torch's clipping: every weight and state after every step.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class OptimizerTraceTests
{
    // Fused against the for loop of torch differs by 6e-8 in weights of 1; traces have weights and gradients of other sizes too.
    private const double RelativeTolerance = 1.2e-6;
    private const double AbsoluteTolerance = 1.2e-7;

    [Theory]
    [InlineData("torch.optim.AdamW")]
    [InlineData("transformers.Adafactor")]
    [InlineData("lion_pytorch.Lion")]
    [InlineData("torch.optim.SGD")]
    public void Every_trace_of_the_peer_is_followed_in_float32_and_float64(string peer)
    {
        var folder = ReferenceOutputs.Folder("optim");
        var traces = ReferenceOutputs.Json("optim", "optimizers.json").GetProperty("traces").EnumerateArray()
            .Where(trace => trace.GetProperty("optimizer").GetString()!.StartsWith(peer, StringComparison.Ordinal))
            .ToArray();
        Assert.NotEmpty(traces);
        foreach (var trace in traces)
        {
            if (trace.GetProperty("dtype").GetString() == "bfloat16")
            {
                ParityLog.Skip("optimizer traces", trace.GetProperty("name").GetString()!, "plain bfloat16 weights, most of which never move, are refused");
                continue;
            }

            Follow(trace, Path.Combine(folder, trace.GetProperty("name").GetString() + ".safetensors"));
        }
    }

    [Fact]
    public void Clipping_gives_the_norm_and_the_gradients_of_torch()
    {
        using var reader = SafetensorsReader.Open(Path.Combine(ReferenceOutputs.Folder("optim"), "clipping.safetensors"));
        foreach (var reference in ReferenceOutputs.Json("optim", "clipping.json").GetProperty("cases").EnumerateArray())
        {
            if (reference.TryGetProperty("norm_type", out _) || reference.GetProperty("dtype").GetString() == "bfloat16")
            {
                ParityLog.Skip("clipping", reference.GetProperty("name").GetString()!, "clipping is by the 2-norm of float32 gradients");
                continue;
            }

            Clip(reference, reader);
        }
    }

    private static void Clip(JsonElement reference, SafetensorsReader reader)
    {
        using var scope = NewDisposeScope();
        var name = reference.GetProperty("name").GetString()!;
        var count = reference.GetProperty("tensors").GetInt32();
        var gradients = Enumerable.Range(0, count).Select(i => reader.Read($"{name}.{i}.in")).ToArray();
        var norm = GradientClip.Apply(gradients, reference.GetProperty("max_norm").GetDouble());
        var expected = reference.GetProperty("returned_norm");
        if (expected.ValueKind == JsonValueKind.Number)
        {
            Parity.Within("clipping norms", name, Math.Abs(expected.GetDouble() - norm) / Math.Max(1, expected.GetDouble()), 1e-6);
        }
        else
        {
            Assert.False(double.IsFinite(norm), name);
        }

        for (var i = 0; i < count; i++)
        {
            AssertClose("clipping", reader.Read($"{name}.{i}.out"), gradients[i], $"{name}.{i}");
        }
    }

    private static void Follow(JsonElement trace, string file)
    {
        using var scope = NewDisposeScope();
        using var reader = SafetensorsReader.Open(file);
        var names = reader.Entries.Select(entry => entry.Name).Where(name => name.EndsWith(".p0", StringComparison.Ordinal)).Select(name => name[..^3]).ToArray();
        var weights = names.Select(name => new NamedTensor(name, reader.Read(name + ".p0").requires_grad_())).ToArray();
        using var optimizer = Optimizer.Create(weights, OptimizerReferences.Settings(trace));
        for (var step = 0; step < trace.GetProperty("steps").GetInt32(); step++)
        {
            foreach (var weight in weights)
            {
                weight.Value.grad = reader.Read(weight.Name + ".grad")[step].contiguous();
            }

            optimizer.Step(OptimizerReferences.Rate(trace, step));
            foreach (var (name, value) in weights.Select(weight => (weight.Name + ".p", weight.Value)).Concat(optimizer.Moments().Select(m => (m.Name, m.Value))))
            {
                AssertClose("optimizer traces", reader.Read(name)[step], value, $"{Path.GetFileName(file)} step {step + 1} {name}");
            }
        }
    }

    // The error is that of the worst element, as a share of what it may be: weights of 1e3 and of 1e-3 are in one trace.
    private static void AssertClose(string family, Tensor expected, Tensor actual, string what)
    {
        using var scope = NewDisposeScope();
        Assert.True(actual.detach().allclose(expected, RelativeTolerance, AbsoluteTolerance, equal_nan: true), what);
        var size = expected.abs().clamp(min: 1);
        var error = ((actual.detach() - expected).abs() / size).nan_to_num(0, 0, 0).max().to_type(ScalarType.Float64).item<double>();
        Parity.Within(family, what, error, RelativeTolerance + AbsoluteTolerance);
    }
}
