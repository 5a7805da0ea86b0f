using InstructTune.Modeling.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

/// <summary>Weights kept in bfloat16, for every model of the fixtures, against transformers in float32.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class Bf16ParityTests
{
    private const double Tolerance = 1e-2;

    // Rounding the weights of a model that was stored in more bits changes the model: with exact arithmetic on rounded weights the logits
    // of these fixtures move by up to 1.6e-2.
    private const double ToleranceOfRoundedModels = 2e-2;

    public static TheoryData<string> Models => [.. ReferenceModel.Names.DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Models))]
    public void Bfloat16_stays_near_the_reference_and_chooses_the_same_token(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = ReferenceModel.Open(name, BaseFormat.Bf16);
        var isStoredSo = reference.Model.Config.StorageType == "bfloat16";
        var (family, tolerance) = isStoredSo ? ("models bf16", Tolerance) : ("models bf16 of wider files", ToleranceOfRoundedModels);
        foreach (var example in reference.Examples)
        {
            Tensor[] ways = example.Segments is null ? [reference.Train(example), reference.Serve(example)] : [reference.Train(example)];
            foreach (var logits_TV in ways)
            {
                Parity.WithinShare(family, $"{name}/{example.Name}", logits_TV, example.Logits, tolerance);
                RequireSameChoice(name, example, logits_TV);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Bfloat16_computes_what_float32_computes_on_the_rounded_weights(string name)
    {
        using var scope = NewDisposeScope();
        using var kept = ReferenceModel.Open(name, BaseFormat.Bf16);
        using var rounded = ReferenceModel.Open(name);
        foreach (var (_, value) in rounded.Model.Parameters.Where(p => p.Value.dim() == 2))
        {
            value.copy_(value.to_type(ScalarType.BFloat16));
        }

        foreach (var example in kept.Examples)
        {
            Parity.WithinShare("models bf16 arithmetic", $"{name}/{example.Name}", kept.Train(example), rounded.Train(example), 1e-5);
            Assert.Equal(0, ReferenceModel.Distance(kept.Serve(example), rounded.Serve(example)));
        }
    }

    // Wherever the reference prefers one token by more than 0.1.
    private static void RequireSameChoice(string name, ReferenceModel.Example example, Tensor logits_TV)
    {
        var (best_T2, _) = example.Logits.topk(2, dim: 1);
        var clear_T = (best_T2.select(1, 0) - best_T2.select(1, 1)).gt(0.1);
        var differing = logits_TV.argmax(1).ne(example.Logits.argmax(1)).logical_and(clear_T).sum().item<long>();
        Assert.True(ParityLog.IsEqual("models bf16 choices", $"{name}/{example.Name}", differing == 0), $"{example.Name}: {differing} other choices");
    }
}
