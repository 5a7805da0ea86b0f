using System.Diagnostics;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Numerics.Tests.Llama;
using InstructTune.Testing;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Gguf;

/// <summary>A real model of 135 million weights, from its GGUF file alone.</summary>
[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class SmolLmTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smollm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_imported_model_gives_the_reference_logits_texts_and_tokens()
    {
        using var scope = NewDisposeScope();
        var source = FixtureFolder.RequireBeside("models/smollm2-135m-instruct");
        var started = Stopwatch.GetTimestamp();
        GgufImport.ToFolder(Path.Combine(source, "SmolLM2-135M-Instruct.Q4_1.gguf"), _folder);
        TestContext.Current.TestOutputHelper?.WriteLine($"imported in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        var reference = Fixtures.Json(Path.Combine(source, "expected.json"));
        CompareTokens(reference);
        using var model = ModelFolder.Load(_folder, warning => Assert.Fail(warning));
        CompareWeights(model, reference);
        using var expected = SafetensorsReader.Open(Path.Combine(source, "expected.safetensors"));
        foreach (var example in reference.GetProperty("cases").EnumerateArray())
        {
            var name = example.GetProperty("name").GetString()!;
            var ids = example.GetProperty("prompt_ids").Ints();
            using var step = NewDisposeScope();
            var hidden_BTD = model.Hidden(tensor(ids, ScalarType.Int64).unsqueeze(0));
            var logits_V = model.Logits(hidden_BTD[0].narrow(0, ids.Length - 1, 1))[0];
            var distance = ReferenceModel.Distance(logits_V, expected.Read(example.GetProperty("logits").GetString()!));
            Assert.True(ParityLog.IsWithin("SmolLM2 from GGUF, logits", name, distance, 2e-4), $"{name}: {distance}");
        }

        CompareTexts(model, [.. reference.GetProperty("cases").EnumerateArray()]);
    }

    private void CompareTokens(System.Text.Json.JsonElement reference)
    {
        var tokenizer = Tokenizer.Load(_folder);
        Assert.Equal([2], tokenizer.EndOfTextIds);
        Assert.Contains("<|im_start|>", tokenizer.ChatTemplate, StringComparison.Ordinal);
        foreach (var item in reference.GetProperty("tokenizer_strings").EnumerateArray())
        {
            var text = item.GetProperty("text").GetString()!;
            var equal = item.GetProperty("ids").Ints().SequenceEqual(tokenizer.Encode(text, addSpecialTokens: true, parseSpecial: true));
            Assert.True(ParityLog.IsEqual("SmolLM2 from GGUF, tokenizer", text, equal), text);
        }
    }

    private static void CompareTexts(LlamaModel model, System.Text.Json.JsonElement[] examples)
    {
        var texts = GreedyText.GenerateTogether(model, [.. examples.Select(e => e.GetProperty("prompt_ids").Ints())], 48);
        foreach (var (example, text) in examples.Zip(texts))
        {
            var name = example.GetProperty("name").GetString()!;
            Assert.True(ParityLog.IsEqual("SmolLM2 from GGUF, greedy tokens", name, text.SequenceEqual(example.GetProperty("greedy_ids").Ints())), name);
        }
    }

    private static void CompareWeights(LlamaModel model, System.Text.Json.JsonElement reference)
    {
        var tensors = reference.GetProperty("hf_tensors");
        foreach (var (name, value) in model.Parameters)
        {
            using var scope = NewDisposeScope();
            var expected = tensors.GetProperty(name);
            Assert.Equal(expected.GetProperty("first4").EnumerateArray().Select(v => v.GetSingle()), value.reshape(-1).narrow(0, 0, 4).data<float>().ToArray());
            Assert.Equal(expected.GetProperty("abs_sum").GetDouble(), value.to(ScalarType.Float64).abs().sum().item<double>(), expected.GetProperty("abs_sum").GetDouble() * 1e-6);
        }
    }
}
