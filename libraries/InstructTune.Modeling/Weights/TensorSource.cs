using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>A tensor of a file to be written, whose bytes are made while they are written.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">Element type in the file.</param>
/// <param name="Shape">Dimensions.</param>
/// <param name="WriteTo">Writes exactly the bytes of shape and type.</param>
internal sealed record TensorSource(string Name, ScalarType Type, IReadOnlyList<long> Shape, Action<Stream> WriteTo)
{
    public long SizeBytes => Shape.Aggregate((long)ElementTypes.SizeBytes(Type), (a, b) => checked(a * b));

    /// <summary>A tensor in memory, rounded to a type as it is written, piece by piece.</summary>
    public static TensorSource Of(NamedTensor tensor, ScalarType? storageType)
    {
        var type = storageType is { } given && tensor.Value.is_floating_point() ? given : tensor.Value.dtype;
        return new TensorSource(tensor.Name, type, tensor.Value.shape, stream => Write(stream, tensor.Value, type));
    }

    private static void Write(Stream stream, Tensor value, ScalarType type)
    {
        const long pieceElements = 1L << 22;
        using var scope = NewDisposeScope();
        var flat = value.detach().cpu().contiguous().view(-1);
        var count = flat.size(0);
        for (long done = 0; done < count; done += pieceElements)
        {
            using var piece = NewDisposeScope();
            stream.Write(flat.narrow(0, done, Math.Min(pieceElements, count - done)).to(type).bytes);
        }
    }
}
