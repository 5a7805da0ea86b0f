using InstructTune.Kernels;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Serving;

/// <summary>Our kernels against transformers, for every model of the fixtures that they serve.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class KernelParityTests
{
    public static TheoryData<string> Models => [.. ReferenceModel.Names.DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Models))]
    public void The_kernels_give_the_reference_logits(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        if (KernelModelFolder.Obstacle(reference.Model.Config) is { } obstacle)
        {
            ParityLog.Skip("models fp32 kernels", name, obstacle);
            var refused = Assert.Throws<ModelFormatException>(() => KernelModelFolder.Load(reference.Folder, WeightFormat.Float32));
            Assert.Contains("dynamic", refused.Message, StringComparison.Ordinal);
            return;
        }

        using var served = new ServedKernels(reference.Folder, WeightFormat.Float32);
        foreach (var example in reference.Cases.Where(c => !c.TryGetProperty("segments", out _)))
        {
            var logits_TV = served.Logits(example.GetProperty("input_ids").Ints(), example.GetProperty("position_ids").Ints());
            Parity.Within(
                "models fp32 kernels", $"{name}/{example.GetProperty("name")}", logits_TV, reference.Expected(example.GetProperty("logits").GetString()!), 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Rounded_weights_stay_near_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name);
        if (KernelModelFolder.Obstacle(reference.Model.Config) is not null)
        {
            return;
        }

        foreach (var (format, tolerance) in new[] { (WeightFormat.BFloat16, 2e-2), (WeightFormat.Int8, 8e-2) })
        {
            using var served = new ServedKernels(reference.Folder, format);
            var example = reference.Cases.First(c => !c.TryGetProperty("segments", out _));
            var expected_TV = reference.Expected(example.GetProperty("logits").GetString()!);
            var logits_TV = served.Logits(example.GetProperty("input_ids").Ints(), example.GetProperty("position_ids").Ints());
            var distance = ((logits_TV - expected_TV).norm() / expected_TV.norm()).item<float>();
            Assert.True(
                ParityLog.IsWithin($"models {format} kernels", name, distance, tolerance), $"{name} {format}: relative L2 {distance} over {tolerance}");
        }
    }
}
