using InstructTune.Modeling.Quantization;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>Allocates the weights of a model in the form asked for, and remembers their names. Views and their bases are owned here.</summary>
/// <param name="format">Form of linear layers.</param>
/// <param name="otherMatrices">Element type of the embedding and the output head.</param>
/// <param name="backend">Where they lie.</param>
internal sealed class WeightStore(BaseFormat format, ScalarType otherMatrices, ModelBackend backend) : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly List<NamedTensor> _named = [];
    private readonly List<ModelWeight> _weights = [];

    /// <summary>Every tensor that has a name in checkpoints, by name. Quantised weights are no tensors.</summary>
    public IReadOnlyList<NamedTensor> Named() => [.. _named.OrderBy(n => n.Name, StringComparer.Ordinal)];

    /// <summary>Every weight, by name.</summary>
    public IReadOnlyList<ModelWeight> Weights() => [.. _weights.OrderBy(n => n.Name, StringComparer.Ordinal)];

    /// <summary>A tensor of its own, in float32.</summary>
    public Tensor Add(string name, params long[] shape) => Named(name, Own(empty(shape, ScalarType.Float32, backend.Device)));

    /// <summary>The embedding or the output head.</summary>
    public (Tensor Tensor, WeightMatrix Matrix) AddTable(string name, int rows, int width)
    {
        var table = Named(name, Own(empty([rows, width], otherMatrices, backend.Device)));
        return (table, Matrix(table));
    }

    /// <summary>A group of linear layers over one input.</summary>
    public ProjectionGroup AddGroup(string prefix, IReadOnlyList<(string Name, int Outputs)> parts, int inputs, bool hasBias)
    {
        var outputs = parts.Sum(p => p.Outputs);
        var bias_O = hasBias ? Own(empty([outputs], ScalarType.Float32, backend.Device)) : null;
        var whole = format is BaseFormat.Nf4 or BaseFormat.Nf4PlainScales ? null : Own(empty([outputs, inputs], format == BaseFormat.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32, backend.Device));
        var projections = new Projection[parts.Count];
        var row = 0;
        for (var i = 0; i < projections.Length; i++)
        {
            var (path, count) = (prefix + parts[i].Name, parts[i].Outputs);
            var weight = whole is null ? Quantized(path, count, inputs) : Matrix(Named(path + ".weight", Own(whole.narrow(0, row, count))));
            projections[i] = new Projection(path, weight, bias_O is null ? null : Named(path + ".bias", Own(bias_O.narrow(0, row, count))));
            row += count;
        }

        return new ProjectionGroup(projections, whole is null ? null : Matrix(whole), bias_O);
    }

    public void Dispose()
    {
        foreach (var owned in _owned)
        {
            owned.Dispose();
        }
    }

    private WeightMatrix Matrix(Tensor weight_OI) =>
        !backend.UsesKernels ? new TensorMatrix(weight_OI) : weight_OI.dtype == ScalarType.Float32 ? new PlainMatrix(weight_OI) : new Bf16Matrix(weight_OI);

    private Nf4Matrix Quantized(string path, int outputs, int inputs)
    {
        if (!backend.UsesKernels)
        {
            throw new NotSupportedException($"{format} is multiplied by our own kernels only, which need the processor.");
        }

        var matrix = new Nf4Matrix(outputs, inputs, nestsScales: format == BaseFormat.Nf4);
        _owned.Add(matrix);
        _weights.Add(ModelWeight.Of(path + ".weight", matrix));
        return matrix;
    }

    private Tensor Named(string name, Tensor tensor)
    {
        _named.Add(new NamedTensor(name, tensor));
        _weights.Add(ModelWeight.Of(name, tensor));
        return tensor;
    }

    private Tensor Own(Tensor tensor)
    {
        _owned.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }
}
