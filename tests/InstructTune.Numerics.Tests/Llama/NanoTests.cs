using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

/// <summary>Against transformers on the small real model that lies beside the fixtures.</summary>
public sealed class NanoTests
{
    [Fact]
    public void Logits_and_greedy_texts_are_the_reference()
    {
        using var scope = NewDisposeScope();
        var folder = Path.Combine(Fixtures.Folder(), "..", "models", "nano");
        Assert.SkipUnless(Directory.Exists(folder), "The model nano is not beside the reference outputs.");
        using var model = ModelFolder.Load(folder, warning => Assert.Fail(warning));
        using var expected = SafetensorsReader.Open(Path.Combine(folder, "expected.safetensors"));
        foreach (var example in Fixtures.Json(Path.Combine(folder, "expected.json")).GetProperty("cases").EnumerateArray())
        {
            var ids = example.GetProperty("input_ids").Ints();
            var reference_TV = expected.Read($"logits.{example.GetProperty("name").GetString()}");
            var logits_TV = model.Logits(model.Hidden(tensor(ids, ScalarType.Int64).unsqueeze(0))[0]);
            Assert.True(ReferenceModel.Distance(logits_TV, reference_TV) < 1e-4);
            using var cache = new KvCache(model.Config, 1, ids.Length);
            var served_TV = model.Logits(model.Hidden(new StepBatch([new StepSequence(0, 0, ids)]), cache));
            Assert.True(ReferenceModel.Distance(served_TV, reference_TV) < 1e-4);
            Assert.Equal(example.GetProperty("greedy_ids").Ints(), GreedyText.Generate(model, ids, 40));
        }
    }
}
