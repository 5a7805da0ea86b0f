using System.Text.Json;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>Cases of fixtures/peft: adapters that PEFT wrote and what it computes with them.</summary>
internal static class ReferenceAdapter
{
    public static string Root => Fixtures.Folder("peft");

    /// <summary>Names of the cases with expectations.</summary>
    public static IEnumerable<string> Names => Fixtures.Names("peft", "adapters").Where(n => File.Exists(Path.Combine(Fixtures.Root!, "peft", "expected", n + ".safetensors")));

    public static JsonElement Expectation(string name) => Fixtures.Json(Path.Combine(Root, "expected", name + ".json"));

    public static SafetensorsReader Values(string name) => SafetensorsReader.Open(Path.Combine(Root, "expected", name + ".safetensors"));

    public static LlamaModel Base(string name) => ModelFolder.Load(Path.Combine(Root, Expectation(name).GetProperty("base").GetString()!));

    public static LoraAdapter Read(string name, LlamaModel model) => PeftAdapter.Read(Path.Combine(Root, "adapters", name), model.Config);

    public static Tensor Ids => Matrix("input_ids");

    public static Tensor Labels => Matrix("labels");

    private static Tensor Matrix(string key)
    {
        var rows = Fixtures.Json(Path.Combine(Root, "inputs.json")).GetProperty(key).EnumerateArray().Select(r => r.Ints()).ToArray();
        return tensor(rows.SelectMany(r => r.Select(i => (long)i)).ToArray(), [rows.Length, rows[0].Length]);
    }
}
