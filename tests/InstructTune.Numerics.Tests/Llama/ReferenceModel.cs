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

    public static ReferenceModel Open(string name, BaseFormat format = BaseFormat.Fp32)
    {
        var folder = Fixtures.Folder("models", name);
        return new ReferenceModel(folder, ModelFolder.Load(folder, format: format));
    }

    public IEnumerable<JsonElement> Cases => Json.GetProperty("cases").EnumerateArray();

    /// <summary>The texts with the logits of every position.</summary>
    public IEnumerable<Example> Examples => Cases.Select(c => new Example(
        c.GetProperty("name").GetString()!,
        c.GetProperty("input_ids").Ints(),
        c.GetProperty("position_ids").Ints(),
        c.TryGetProperty("segments", out var segments) ? segments.Ints() : null,
        Expected(c.GetProperty("logits").GetString()!)));

    public Tensor Expected(string tensor) => _expected.Read(tensor);

    public static double Distance(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(b.shape, a.shape);
        return (a.detach() - b).abs().max().item<float>();
    }

    /// <summary>Every position of a text through the serving way in, in chunks.</summary>
    public Tensor Serve(Example example, int chunkTokens = int.MaxValue)
    {
        using var scope = NewDisposeScope();
        using var cache = new KvCache(Model.Config, 1, example.Ids.Length);
        var chunks = new List<Tensor>();
        for (var from = 0; from < example.Ids.Length;)
        {
            var count = Math.Min(chunkTokens, example.Ids.Length - from);
            var sequence = new StepSequence(0, from, example.Ids.AsMemory(from, count)) { Positions = example.Positions[from..(from + count)] };
            chunks.Add(Model.Logits(Model.Hidden(new StepBatch([sequence]), cache)));
            from += count;
        }

        return cat([.. chunks], 0).MoveToOuterDisposeScope();
    }

    /// <summary>Every position of a text through the training way in, as one row.</summary>
    public Tensor Train(Example example)
    {
        using var scope = NewDisposeScope();
        var placement = new TokenPlacement { Positions = [example.Positions], Segments = example.Segments is { } segments ? [segments] : null };
        return Model.Logits(Model.Hidden(tensor(example.Ids, ScalarType.Int64).unsqueeze(0), placement: placement)[0]).MoveToOuterDisposeScope();
    }

    /// <summary>Whether angles change while the text is read.</summary>
    public bool DependsOnChunks(Example example) =>
        Model.Config.Rotary.Kind == RotaryKind.Dynamic && example.Positions.Max() >= Model.Config.Rotary.OriginalContextTokens;

    public void Dispose()
    {
        _expected.Dispose();
        Model.Dispose();
    }

    /// <summary>A text: its tokens, their positions, lengths of the pieces where it is packed, and the scores after each token.</summary>
    public sealed record Example(string Name, int[] Ids, int[] Positions, int[]? Segments, Tensor Logits);
}
