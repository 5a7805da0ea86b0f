using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>Allocates the tensors of a model and remembers their names. Views and their bases are owned here.</summary>
internal sealed class WeightStore : IDisposable
{
    private readonly List<Tensor> _owned = [];
    private readonly List<NamedTensor> _named = [];

    /// <summary>Everything that has a name in checkpoints, by name.</summary>
    public IReadOnlyList<NamedTensor> Named() => [.. _named.OrderBy(n => n.Name, StringComparer.Ordinal)];

    /// <summary>A tensor of its own.</summary>
    public Tensor Add(string name, params long[] shape)
    {
        var result = Own(empty(shape, ScalarType.Float32));
        _named.Add(new NamedTensor(name, result));
        return result;
    }

    /// <summary>A group of linear layers over one input.</summary>
    public ProjectionGroup AddGroup(string prefix, IReadOnlyList<(string Name, int Outputs)> parts, int inputs, bool hasBias)
    {
        var outputs = parts.Sum(p => p.Outputs);
        var weight_OI = Own(empty([outputs, inputs], ScalarType.Float32));
        var bias_O = hasBias ? Own(empty([outputs], ScalarType.Float32)) : null;
        var projections = new Projection[parts.Count];
        var row = 0;
        for (var i = 0; i < projections.Length; i++)
        {
            var path = prefix + parts[i].Name;
            projections[i] = new Projection(path, Part(path + ".weight", weight_OI), bias_O is null ? null : Part(path + ".bias", bias_O));
            row += parts[i].Outputs;

            Tensor Part(string name, Tensor whole)
            {
                var view = Own(whole.narrow(0, row, parts[i].Outputs));
                _named.Add(new NamedTensor(name, view));
                return view;
            }
        }

        return new ProjectionGroup(projections, weight_OI, bias_O);
    }

    public void Dispose()
    {
        foreach (var tensor in _owned)
        {
            tensor.Dispose();
        }
    }

    private Tensor Own(Tensor tensor)
    {
        _owned.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }
}
