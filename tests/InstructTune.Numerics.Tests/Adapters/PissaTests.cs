using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Adapters that start as the principal part of their base.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class PissaTests
{
    private const string Name = "pissa_residual";

    [Fact]
    public void The_residual_base_is_that_of_PEFT()
    {
        using var example = PeftCase.Open(Name);
        using var expected = SafetensorsReader.Open(Path.Combine(ReferenceAdapter.Root, "expected", "pissa_residual_base.safetensors"));
        foreach (var entry in expected.Entries)
        {
            Parity.Within("pissa residual base", entry.Name, example.Model.Read(entry.Name), expected.Read(entry.Name), 1e-6);
        }

        using var live = SafetensorsReader.Open(Path.Combine(ReferenceAdapter.Root, "expected", "pissa_live_logits.safetensors"));
        var logits_BTV = example.Logits(example.Adapter);
        Parity.Within("pissa live logits", Name, logits_BTV, live.Read(live.Entries[0].Name).view(logits_BTV.shape), 1e-5);
    }

    [Fact]
    public void A_converted_adapter_does_over_the_whole_base_what_the_original_does_over_the_residual_one()
    {
        using var scope = NewDisposeScope();
        using var example = PeftCase.Open(Name);
        using var model = ReferenceAdapter.Base(Name);
        using var ordinary = Ordinary(Name);
        Assert.Equal((2 * example.Adapter.Config.Rank, 2 * example.Adapter.Config.Alpha), (ordinary.Config.Rank, ordinary.Config.Alpha));
        var logits_RV = model.Logits(model.Hidden(ReferenceAdapter.Ids, ordinary).view(-1, model.Config.ModelWidth), ordinary);
        Parity.Within("pissa converted logits", Name, logits_RV, example.Expected.Read("logits").view(logits_RV.shape), 1e-5);

        // PEFT's own conversion has the same products; the pairs may differ by signs.
        using var converted = ReferenceAdapter.Read("pissa_converted", model);
        foreach (var (path, module) in converted.Modules)
        {
            var own = ordinary.Modules[path];
            Parity.Within("pissa converted products", path, own.B_OR.mm(own.A_RI) * own.Scale, module.B_OR.mm(module.A_RI) * module.Scale, 1e-5);
        }
    }

    [Fact]
    public void A_new_adapter_over_its_residual_base_is_the_base_and_starts_as_PEFT_starts()
    {
        using var scope = NewDisposeScope();
        using var model = ReferenceAdapter.Base(Name);
        using var given = PeftAdapter.Read(Path.Combine(ReferenceAdapter.Root, "adapters", "pissa_initial"), model.Config);
        var before = model.Hidden(ReferenceAdapter.Ids);
        using var adapter = LoraAdapter.Create(model, given.Config with { Start = LoraStart.Pissa }, StepSeed.Of(1, "", 0, "test"));
        foreach (var (path, module) in given.Modules)
        {
            var own = adapter.Modules[path];
            Parity.Within("pissa initial products", path, own.B_OR.mm(own.A_RI), module.B_OR.mm(module.A_RI), 1e-5);
        }

        PissaConversion.MakeResidual(model, adapter.Config);
        Assert.True(ReferenceModel.Distance(model.Hidden(ReferenceAdapter.Ids, adapter), before) < 1e-4);
        Assert.True(ReferenceModel.Distance(model.Hidden(ReferenceAdapter.Ids), before) > 0.01);
    }

    [Theory]
    [InlineData("\"pissa_niter_16\"")]
    [InlineData("\"olora\"")]
    public void A_start_that_cannot_be_made_again_is_refused(string start)
    {
        var json = System.Text.Encoding.UTF8.GetBytes($"{{\"peft_type\": \"LORA\", \"init_lora_weights\": {start}}}");
        Assert.Equal("init_lora_weights", Assert.Throws<ModelFormatException>(() => LoraConfigReader.Read(json, static _ => { })).Item);
    }

    /// <summary>The adapter of a case, written as an ordinary one.</summary>
    internal static LoraAdapter Ordinary(string name)
    {
        using var model = ReferenceAdapter.Base(name);
        using var adapter = ReferenceAdapter.Read(name, model);
        return PissaConversion.ToOrdinary(model, adapter);
    }
}
