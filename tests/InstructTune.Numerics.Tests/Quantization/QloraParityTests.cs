using System.Text.Json.Nodes;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Quantization;

/// <summary>An adapter over a base in four bits, against PEFT over bitsandbytes.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class QloraParityTests
{
    [Fact]
    public void Weights_logits_loss_and_gradients_are_those_of_PEFT_over_bitsandbytes()
    {
        using var scope = NewDisposeScope();
        var root = Fixtures.Folder("nf4", "qlora");
        using var model = Load(root);
        using var dequantised = SafetensorsReader.Open(Path.Combine(root, "dequantised.safetensors"));
        foreach (var entry in dequantised.Entries)
        {
            Parity.Equal("qlora weights", entry.Name, model.Read(entry.Name), dequantised.Read(entry.Name));
        }

        using var adapter = PeftAdapter.Read(Path.Combine(root, "adapter"), model.Config);
        using var expected = SafetensorsReader.Open(Path.Combine(root, "expected.safetensors"));
        var example = Fixtures.Json(Path.Combine(root, "case.json"));
        adapter.SetTrainable(true);
        var (ids_BT, labels_BT) = (Matrix(example, "input_ids"), Matrix(example, "labels"));
        var logits_BTV = model.Logits(model.Hidden(ids_BT, adapter).view(-1, model.Config.ModelWidth), adapter).view(ids_BT.size(0), ids_BT.size(1), -1);
        Parity.Within("qlora logits", "qlora", logits_BTV, expected.Read("logits"), 1e-5);

        var shifted_R = labels_BT.narrow(1, 1, ids_BT.size(1) - 1).reshape(-1);
        var kept_RV = logits_BTV.narrow(1, 0, ids_BT.size(1) - 1).reshape(-1, logits_BTV.size(2));
        var loss = nn.functional.cross_entropy(kept_RV, shifted_R, ignore_index: -100);
        Parity.Within("qlora loss", "qlora", Math.Abs(loss.item<float>() - example.GetProperty("loss").GetDouble()), 1e-6);
        loss.backward();
        foreach (var entry in expected.Entries.Where(e => e.Name.StartsWith("grad.", StringComparison.Ordinal)))
        {
            var gradient = adapter.Parameters.Single(p => p.Name == entry.Name["grad.".Length..]).Value.grad!;
            Parity.WithinShare("qlora gradients", entry.Name, gradient, expected.Read(entry.Name), 1e-5);
        }
    }

    [Fact]
    public void A_folder_of_four_bit_weights_is_read_into_every_form()
    {
        using var scope = NewDisposeScope();
        var root = Fixtures.Folder("nf4", "qlora");
        using var quantized = Load(root);
        using var wide = Load(root, BaseFormat.Fp32);
        Assert.All(wide.Parameters, p => Assert.Equal(0, (quantized.Read(p.Name) - p.Value).abs().max().item<float>()));
        Assert.Throws<InvalidOperationException>(() => quantized.SetTrainable(true));
    }

    /// <summary>The fixture's folder lacks an architecture and names its weights otherwise; the copy is a folder as transformers writes it.</summary>
    private static LlamaModel Load(string root, BaseFormat format = BaseFormat.Nf4)
    {
        using var folder = new TemporaryFolder();
        var config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(root, "config.json")))!.AsObject();
        config["architectures"] = new JsonArray("LlamaForCausalLM");
        config["quantization_config"] = new JsonObject { ["quant_method"] = "bitsandbytes", ["load_in_4bit"] = true };
        AtomicFile.Write(folder["config.json"], System.Text.Encoding.UTF8.GetBytes(config.ToJsonString()));
        File.Copy(Path.Combine(root, "model_nf4.safetensors"), folder["model.safetensors"]);
        return ModelFolder.Load(folder.Path, format: format);
    }

    private static Tensor Matrix(System.Text.Json.JsonElement example, string key)
    {
        var rows = example.GetProperty(key).EnumerateArray().Select(r => r.Ints()).ToArray();
        return tensor(rows.SelectMany(r => r.Select(i => (long)i)).ToArray(), [rows.Length, rows[0].Length]);
    }
}
