using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Against PEFT, for every adapter of the fixtures.</summary>
public sealed class PeftParityTests
{
    private const double LogitTolerance = 1e-5;

    public static TheoryData<string> Cases => [.. ReferenceAdapterNames().DefaultIfEmpty("none")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_loss_and_gradients_are_those_of_PEFT(string name)
    {
        using var scope = NewDisposeScope();
        using var model = ReferenceAdapter.Base(name);
        using var adapter = ReferenceAdapter.Read(name, model);
        using var expected = ReferenceAdapter.Values(name);
        adapter.SetTrainable(true);
        var (ids_BT, labels_BT) = (ReferenceAdapter.Ids, ReferenceAdapter.Labels);

        var logits_RV = model.Logits(model.Hidden(ids_BT, adapter).view(-1, model.Config.ModelWidth), adapter);
        var logits_BTV = logits_RV.view(ids_BT.size(0), ids_BT.size(1), -1);
        var distance = ReferenceModel.Distance(logits_BTV, expected.Read("logits"));
        Assert.True(distance < LogitTolerance, $"logits: {distance}");

        var shifted_R = labels_BT.narrow(1, 1, ids_BT.size(1) - 1).reshape(-1);
        var kept_RV = logits_BTV.narrow(1, 0, ids_BT.size(1) - 1).reshape(-1, logits_BTV.size(2));
        var loss = nn.functional.cross_entropy(kept_RV, shifted_R, ignore_index: -100);
        Assert.Equal(ReferenceAdapter.Expectation(name).GetProperty("loss").GetDouble(), loss.item<float>(), 1e-5);

        loss.backward();
        foreach (var entry in expected.Entries.Where(e => e.Name.StartsWith("grad.", StringComparison.Ordinal)))
        {
            var gradient = adapter.Parameters.Single(p => p.Name == entry.Name["grad.".Length..]).Value.grad!;
            var reference = expected.Read(entry.Name);
            var error = (gradient - reference).norm().item<float>() / (reference.norm().item<float>() + 1e-12);
            Assert.True(error < 1e-5, $"{entry.Name}: {error}");
        }

        Assert.All(model.Parameters, p => Assert.Null(p.Value.grad));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Merged_weights_and_their_logits_are_those_of_PEFT(string name)
    {
        using var scope = NewDisposeScope();
        using var model = ReferenceAdapter.Base(name);
        using var adapter = ReferenceAdapter.Read(name, model);
        using var expected = ReferenceAdapter.Values(name);
        LoraMerge.Into(model, adapter);
        foreach (var entry in expected.Entries.Where(e => e.Name.StartsWith("merged.", StringComparison.Ordinal)))
        {
            var merged = model.Parameters.Single(p => p.Name == entry.Name["merged.".Length..]).Value;
            var distance = ReferenceModel.Distance(merged, expected.Read(entry.Name));
            Assert.True(distance <= 1e-7, $"{entry.Name}: {distance}");
        }

        var hidden_BTD = model.Hidden(ReferenceAdapter.Ids.narrow(0, 0, 2));
        var logits_RV = model.Logits(hidden_BTD.view(-1, model.Config.ModelWidth));
        Assert.True(ReferenceModel.Distance(logits_RV, expected.Read("merged_logits").view(logits_RV.shape)) < LogitTolerance);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scales_are_those_of_PEFT(string name)
    {
        using var model = ReferenceAdapter.Base(name);
        using var adapter = ReferenceAdapter.Read(name, model);
        foreach (var module in ReferenceAdapter.Expectation(name).GetProperty("scaling").EnumerateObject())
        {
            Assert.Equal(module.Value.GetDouble(), adapter.Config.ScaleOf(module.Name), 1e-9);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Writing_what_was_read_gives_the_bytes_of_PEFT(string name)
    {
        using var model = ReferenceAdapter.Base(name);
        using var adapter = ReferenceAdapter.Read(name, model);
        var folder = Directory.CreateTempSubdirectory("peft-").FullName;
        try
        {
            PeftAdapter.Write(folder, adapter);
            var original = Path.Combine(ReferenceAdapter.Root, "adapters", name, "adapter_model.safetensors");
            using var source = SafetensorsReader.Open(original);
            if (source.Entries.All(e => e.Type == ScalarType.Float32))
            {
                Assert.Equal(File.ReadAllBytes(original), File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors")));
            }

            using var again = PeftAdapter.Read(folder, model.Config);
            Assert.Equal(LoraConfigWriter.Write(adapter.Config), LoraConfigWriter.Write(again.Config));
            Assert.Equal(adapter.Tensors.Select(t => t.Name), again.Tensors.Select(t => t.Name));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_bank_serves_plain_adapters_and_refuses_the_others_by_field(string name)
    {
        using var scope = NewDisposeScope();
        using var model = ReferenceAdapter.Base(name);
        using var adapter = ReferenceAdapter.Read(name, model);
        using var bank = new AdapterBank(model.Config, 2, 16);
        if (!adapter.Config.IsPlain)
        {
            var refusal = Assert.Throws<ModelFormatException>(() => bank.Load(1, adapter));
            Assert.Contains("merge it", refusal.Message, StringComparison.Ordinal);
            return;
        }

        bank.Load(1, adapter);
        using var expected = ReferenceAdapter.Values(name);
        var logits_BTV = MixedRows.Serve(model, bank, [1, 1, 1, 1]);
        Assert.True(ReferenceModel.Distance(logits_BTV, expected.Read("logits")) < LogitTolerance);
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
        var logits_BTV = MixedRows.Serve(model, bank, [0, 2, 0, null]);
        Assert.True(ReferenceModel.Distance(logits_BTV, expected.Read("logits")) < LogitTolerance);
    }

    [Fact]
    public void A_row_has_the_same_bits_alone_and_among_other_adapters()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Load(Path.Combine(ReferenceAdapter.Root, "base"));
        using var x = ReferenceAdapter.Read("lora_r8_qv", model);
        using var y = ReferenceAdapter.Read("lora_r16_all_linear", model);
        using var bank = new AdapterBank(model.Config, 3, 16);
        bank.Load(0, x);
        bank.Load(2, y);
        int?[] adapters = [0, 2, 0, null];
        var together_BTV = MixedRows.Serve(model, bank, adapters);
        for (var row = 0; row < adapters.Length; row++)
        {
            var alone_BTV = MixedRows.Serve(model, bank, [adapters[row]], row);
            Assert.Equal(0, ReferenceModel.Distance(alone_BTV[0], together_BTV[row]));
        }
    }

    [Fact]
    public void What_is_not_finite_in_one_adapter_stays_out_of_other_rows()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Load(Path.Combine(ReferenceAdapter.Root, "base"));
        using var x = ReferenceAdapter.Read("lora_r8_qv", model);
        using var poisoned = ReferenceAdapter.Read("lora_r8_qv", model);
        using var bank = new AdapterBank(model.Config, 2, 16);
        bank.Load(0, x);
        var clean_BTV = MixedRows.Serve(model, bank, [0, null]);
        foreach (var module in poisoned.Modules.Values)
        {
            module.A_RI.fill_(float.NaN);
        }

        bank.Load(1, poisoned);
        var mixed_BTV = MixedRows.Serve(model, bank, [0, null, 1]);
        Assert.Equal(0, ReferenceModel.Distance(mixed_BTV.narrow(0, 0, 2), clean_BTV));
        Assert.True(mixed_BTV[2].isnan().any().item<bool>());
    }

    private static IEnumerable<string> ReferenceAdapterNames() =>
        Fixtures.Root is null ? [] : ReferenceAdapter.Names.Where(n => !ReferenceAdapter.IsRefused(n));
}
