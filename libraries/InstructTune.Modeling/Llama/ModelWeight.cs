using InstructTune.Modeling.Quantization;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Llama;

/// <summary>One weight of a model under its name in files, in whatever form the model keeps it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Shape">Its shape in files.</param>
/// <param name="Write">Takes over values of any floating type, rounded or quantised where the form asks for it.</param>
/// <param name="Read">The values in float32; the caller's, and perhaps a view of the model's own.</param>
internal sealed record ModelWeight(string Name, long[] Shape, Action<Tensor> Write, Func<Tensor> Read)
{
    public static ModelWeight Of(string name, Tensor value) => new(
        name, value.shape, source => value.copy_(source), () => value.dtype == ScalarType.Float32 ? value.alias() : value.to_type(ScalarType.Float32)) { Plain = value };

    public static ModelWeight Of(string name, WeightMatrix value) => new(name, [value.Outputs, value.Inputs], value.Write, value.Read) { Matrix = value };

    /// <summary>The tensor itself, where the weight is kept as one.</summary>
    public Tensor? Plain { get; private init; }

    /// <summary>The matrix, where the weight is quantised.</summary>
    public WeightMatrix? Matrix { get; private init; }

    /// <summary>Bytes it takes.</summary>
    public long SizeBytes => Matrix?.SizeBytes
        ?? Plain!.numel() * (Plain.dtype == ScalarType.BFloat16 ? sizeof(ushort) : sizeof(float));

    /// <summary>Takes over quantised values: as they are where they are kept so, else what they stand for.</summary>
    public void WriteQuantized(QuantizedWeights values)
    {
        if (Matrix is Nf4Matrix matrix && values is { Kind: FourBitKind.Nf4, BlockSize: Nf4Matrix.BlockSize } && matrix.NestsScales == (values.Nested is not null))
        {
            matrix.Restore(values.Packed, values.Scales, values.Nested);
            return;
        }

        using var wide = values.Dequantize();
        Write(wide);
    }
}
