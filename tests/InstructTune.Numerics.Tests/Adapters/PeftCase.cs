using System.Text.Json;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Adapters;

/// <summary>One case of fixtures/peft: base, adapter and what PEFT computes with them. A PiSSA adapter comes with its residual base.</summary>
internal sealed class PeftCase : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    private PeftCase(string name)
    {
        Name = name;
        Expectation = ReferenceAdapter.Expectation(name);
        Model = ReferenceAdapter.Base(name);
        Adapter = ReferenceAdapter.Read(name, Model);
        Expected = ReferenceAdapter.Values(name);
        if (Adapter.Config.Start == LoraStart.Pissa)
        {
            PissaConversion.MakeResidual(Model, Adapter.Config);
        }
    }

    public string Name { get; }

    public JsonElement Expectation { get; }

    public LlamaModel Model { get; }

    public LoraAdapter Adapter { get; }

    public SafetensorsReader Expected { get; }

    public static PeftCase Open(string name)
    {
        _ = ReferenceAdapter.Root;
        return new PeftCase(name);
    }

    /// <summary>Scores of every position of the first rows of the input, through the training way in.</summary>
    public Tensor Logits(LoraAdapter? adapter, int rows = 4)
    {
        var ids_BT = ReferenceAdapter.Ids.narrow(0, 0, rows);
        return Model.Logits(Model.Hidden(ids_BT, adapter).view(-1, Model.Config.ModelWidth), adapter).view(rows, ids_BT.size(1), -1);
    }

    /// <summary>Tensors of the expectation under a prefix, by what follows it.</summary>
    public IEnumerable<(string Name, Tensor Value)> Under(string prefix) => Expected.Entries
        .Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(e => (e.Name[prefix.Length..], Expected.Read(e.Name)));

    public void Dispose()
    {
        Expected.Dispose();
        Adapter.Dispose();
        Model.Dispose();
        _scope.Dispose();
    }
}
