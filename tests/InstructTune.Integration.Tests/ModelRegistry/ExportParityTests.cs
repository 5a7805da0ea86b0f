using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;
using InstructTune.Trainer.Publishing;

namespace InstructTune.Integration.Tests.ModelRegistry;

/// <summary>An export that is another model is not published.</summary>
public sealed class ExportParityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ExportParityTests()
    {
        Directory.CreateDirectory(_folder["model"]);
        foreach (var (name, content) in TinyModel.Files())
        {
            using var file = File.Create(_folder[$"model/{name}"]);
            file.Write(content);
        }
    }

    [Fact]
    public void A_folder_whose_weights_were_touched_is_refused_with_figures()
    {
        var probe = ParityProbe.For(_folder["model"]);
        using var model = ModelFolder.Load(_folder["model"]);
        var reference = probe.Logits(model);
        Assert.Equal(0, ExportParity.OfFolder(_folder["model"], probe, reference, ParityBound.Exact).MaxLogitDifference);

        using (TorchSharp.torch.no_grad())
        {
            model.Parameters[^1].Value.mul_(1.0001f);
        }

        HuggingFaceFolder.Write(_folder["other"], model, _folder["model"]);
        var refusal = Assert.Throws<ExportDisagreesException>(() => ExportParity.OfFolder(_folder["other"], probe, reference, ParityBound.Exact));
        Assert.Contains("other", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("It was not published.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_precision_is_within_its_bound_and_beyond_that_of_single()
    {
        var probe = ParityProbe.For(_folder["model"]);
        using var model = ModelFolder.Load(_folder["model"]);
        GgufExport.Write(_folder["half.gguf"], _folder["model"], GgufTensorType.F16, "tiny");
        var figures = ExportParity.OfGguf(_folder["half.gguf"], _folder.Path, probe, probe.Logits(model), ParityBound.Half);
        Assert.InRange(figures.MaxLogitDifference, 1e-9, 1);
        Assert.Throws<ExportDisagreesException>(() => ParityBound.Exact.Require(figures, "half.gguf"));
    }

    [Fact]
    public void A_folder_whose_tokenizer_differs_is_refused()
    {
        var probe = ParityProbe.For(_folder["model"]);
        using var model = ModelFolder.Load(_folder["model"]);
        HuggingFaceFolder.Write(_folder["other"], model, _folder["model"]);
        var tokenizer = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(_folder["other/tokenizer.json"]))!;
        var vocabulary = tokenizer["model"]!["vocab"]!.AsObject();
        var (e, t) = ((int)vocabulary["e"]!, (int)vocabulary["t"]!);
        (vocabulary["e"], vocabulary["t"]) = (t, e);
        using (var file = File.Create(_folder["other/tokenizer.json"]))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(tokenizer.ToJsonString()));
        }

        var refusal = Assert.Throws<ExportDisagreesException>(() => ExportParity.OfFolder(_folder["other"], probe, probe.Logits(model), ParityBound.Exact));
        Assert.Contains("other tokens", refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
