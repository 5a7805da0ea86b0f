using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Against PEFT, for every adapter of the fixtures.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class PeftParityTests
{
    private const double LogitTolerance = 1e-5;

    public static TheoryData<string> Cases => [.. ReferenceAdapter.Names.DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_loss_and_gradients_are_those_of_PEFT(string name)
    {
        using var example = PeftCase.Open(name);
        example.Adapter.SetTrainable(true);
        var logits_BTV = example.Logits(example.Adapter);
        Parity.Within("peft logits", name, logits_BTV, example.Expected.Read("logits"), LogitTolerance);

        var tokens = logits_BTV.size(1) - 1;
        var kept_RV = logits_BTV.narrow(1, 0, tokens).reshape(-1, logits_BTV.size(2));
        var loss = nn.functional.cross_entropy(kept_RV, ReferenceAdapter.Labels.narrow(1, 1, tokens).reshape(-1), ignore_index: -100);
        Parity.Within("peft losses", name, Math.Abs(example.Expectation.GetProperty("loss").GetDouble() - loss.item<float>()), 1e-6);

        loss.backward();
        foreach (var (parameter, expected) in example.Under("grad."))
        {
            var gradient = example.Adapter.Parameters.Single(p => p.Name == parameter).Value.grad!;
            Parity.WithinShare("peft gradients", $"{name}/{parameter}", gradient, expected, 1e-5);
        }

        Assert.All(example.Model.Parameters, p => Assert.Null(p.Value.grad));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Merged_weights_and_their_logits_are_those_of_PEFT(string name)
    {
        using var example = PeftCase.Open(name);
        var isPissa = example.Adapter.Config.Start == LoraStart.Pissa;
        if (isPissa)
        {
            var refusal = Assert.Throws<ModelFormatException>(() => LoraMerge.Into(example.Model, example.Adapter));
            Assert.Equal("init_lora_weights", refusal.Item);
        }

        // An adapter over a residual base is written as an ordinary one first, by two decompositions that round.
        using var ordinary = isPissa ? PissaTests.Ordinary(name) : null;
        using var model = ReferenceAdapter.Base(name);
        LoraMerge.Into(model, ordinary ?? example.Adapter);
        foreach (var (parameter, expected) in example.Under("merged."))
        {
            Parity.Within(isPissa ? "peft merged pissa" : "peft merged", $"{name}/{parameter}", model.Read(parameter), expected, isPissa ? 1e-6 : 1e-7);
        }

        var hidden_BTD = model.Hidden(ReferenceAdapter.Ids.narrow(0, 0, 2));
        var logits_RV = model.Logits(hidden_BTD.view(-1, model.Config.ModelWidth));
        Parity.Within("peft merged logits", name, logits_RV, example.Expected.Read("merged_logits").view(logits_RV.shape), LogitTolerance);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scales_are_those_of_PEFT(string name)
    {
        using var example = PeftCase.Open(name);
        foreach (var module in example.Expectation.GetProperty("scaling").EnumerateObject())
        {
            Parity.Within("peft scales", $"{name}/{module.Name}", Math.Abs(module.Value.GetDouble() - example.Adapter.Config.ScaleOf(module.Name)), 1e-9);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Writing_what_was_read_gives_the_bytes_of_PEFT(string name)
    {
        using var example = PeftCase.Open(name);
        using var folder = new TemporaryFolder();
        PeftAdapter.Write(folder.Path, example.Adapter);
        var original = Path.Combine(ReferenceAdapter.Root, "adapters", name, "adapter_model.safetensors");
        using var source = SafetensorsReader.Open(original);
        if (source.Entries.All(e => e.Type == ScalarType.Float32))
        {
            var equal = File.ReadAllBytes(original).AsSpan().SequenceEqual(File.ReadAllBytes(folder["adapter_model.safetensors"]));
            Assert.True(ParityLog.IsEqual("peft bytes written", name, equal));
        }

        using var again = PeftAdapter.Read(folder.Path, example.Model.Config);
        Assert.Equal(LoraConfigWriter.Write(example.Adapter.Config), LoraConfigWriter.Write(again.Config));
        Assert.Equal(example.Adapter.Tensors.Select(t => t.Name), again.Tensors.Select(t => t.Name));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_bank_serves_what_rows_can_share_and_refuses_the_others_by_field(string name)
    {
        using var example = PeftCase.Open(name);
        using var bank = new AdapterBank(example.Model.Config, 2, 16);
        if (example.Adapter.Config.SharingObstacle is not null)
        {
            var refusal = Assert.Throws<ModelFormatException>(() => bank.Load(1, example.Adapter, example.Model));
            Assert.Contains("merge it", refusal.Message, StringComparison.Ordinal);
            return;
        }

        bank.Load(1, example.Adapter, example.Model);
        Parity.Within("peft served", name, MixedRows.Serve(example.Model, bank, [1, 1, 1, 1]), example.Expected.Read("logits"), LogitTolerance);
    }

    [Fact]
    public void A_batch_of_mixed_adapters_gives_each_row_what_PEFT_gives()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Load(Path.Combine(ReferenceAdapter.Root, "base"));
        using var x = ReferenceAdapter.Read("lora_r8_qv", model);
        using var y = ReferenceAdapter.Read("lora_r16_all_linear", model);
        using var bank = new AdapterBank(model.Config, 3, 16);
        bank.Load(0, x);
        bank.Load(2, y);
        using var expected = SafetensorsReader.Open(Path.Combine(ReferenceAdapter.Root, "mixed", "expected.safetensors"));
        Parity.Within("peft mixed batch", "mixed", MixedRows.Serve(model, bank, [0, 2, 0, null]), expected.Read("logits"), LogitTolerance);
    }
}
