using System.Text.Json;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Llama;

/// <summary>One model of fixtures/models with the outputs that transformers gave.</summary>
internal sealed class ReferenceModel : IDisposable
{
    private readonly SafetensorsReader _expected;

    private ReferenceModel(string folder, LlamaModel model)
    {
        Folder = folder;
        Model = model;
        Json = Fixtures.Json(Path.Combine(folder, "expected.json"));
        _expected = SafetensorsReader.Open(Path.Combine(folder, "expected.safetensors"));
    }

    public string Folder { get; }

    public LlamaModel Model { get; }

    public JsonElement Json { get; }

    public static IEnumerable<string> Names => Fixtures.Names("models").Where(n => n != "bad");

    public static ReferenceModel Open(string name)
    {
        var folder = Fixtures.Folder("models", name);
        return new ReferenceModel(folder, ModelFolder.Load(folder));
    }

    public IEnumerable<JsonElement> Cases => Json.GetProperty("cases").EnumerateArray();

    public Tensor Expected(string tensor) => _expected.Read(tensor);

    public static double Distance(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(b.shape, a.shape);
        return (a.detach() - b).abs().max().item<float>();
    }

    /// <summary>Every position of a text through the serving way in, in one chunk.</summary>
    public Tensor Serve(IReadOnlyList<int> ids, IReadOnlyList<int>? positions = null)
    {
        using var scope = NewDisposeScope();
        using var cache = new KvCache(Model.Config, 1, ids.Count);
        var step = new StepBatch([new StepSequence(0, 0, ids.ToArray()) { Positions = positions }]);
        return Model.Logits(Model.Hidden(step, cache)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _expected.Dispose();
        Model.Dispose();
    }
}
