using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Quantization;

/// <summary>A matrix as bitsandbytes serialises it: codes, scales, their maps, and a description in JSON as bytes.</summary>
/// <param name="Kind">The levels.</param>
/// <param name="BlockSize">Values of one scale.</param>
/// <param name="Shape">Of the matrix.</param>
/// <param name="Packed">Codes, two a byte.</param>
/// <param name="Scales">One for each block.</param>
/// <param name="Nested">The same in eight bits, where the scales are quantised too.</param>
internal sealed record QuantizedWeights(FourBitKind Kind, int BlockSize, long[] Shape, byte[] Packed, float[] Scales, NestedScales? Nested)
{
    private const string StatePrefix = ".quant_state.bitsandbytes__";
    private static readonly string[] s_kinds = ["nf4", "fp4"];

    /// <summary>Whether a file holds the matrix in four bits.</summary>
    public static bool Has(SafetensorsReader file, string name) => StateKey(file, name) is not null;

    /// <summary>Reads the matrix of a name such as model.layers.0.mlp.up_proj.weight.</summary>
    public static QuantizedWeights Read(SafetensorsReader file, string name)
    {
        using var scope = NewDisposeScope();
        var key = StateKey(file, name) ?? throw new ModelFormatException(file.FileName, name + StatePrefix, "is missing");
        var state = JsonSection.Parse($"{file.FileName}: {key}", file.Read(key).data<byte>().ToArray());
        var kind = state.Text("quant_type") switch
        {
            "nf4" => FourBitKind.Nf4,
            "fp4" => FourBitKind.Fp4,
            var other => throw state.Fault("quant_type", $"is {other}; nf4 and fp4 are read"),
        };
        var (blockSize, shape) = (state.Count("blocksize"), state.Integers("shape").Select(i => (long)i).ToArray());
        var packed = file.Read(name).data<byte>().ToArray();
        var count = shape.Aggregate(1L, (product, size) => product * size);
        if (packed.Length != FourBitBlocks.PackedSize(count))
        {
            throw new ModelFormatException(file.FileName, name, $"has {packed.Length} bytes; shape {TensorEntry.ShapeToText(shape)} takes {FourBitBlocks.PackedSize(count)}");
        }

        var nested = file.Find(name + ".nested_absmax") is null ? null : ReadNested(file, name, state);
        var scales = nested is null
            ? file.Read(name + ".absmax").data<float>().ToArray()
            : [.. Enumerable.Range(0, nested.Codes.Length).Select(i => nested[i])];
        return scales.Length == FourBitBlocks.BlockCount(count, blockSize)
            ? new QuantizedWeights(kind, blockSize, shape, packed, scales, nested)
            : throw new ModelFormatException(file.FileName, name + ".absmax", $"has {scales.Length} scales; {FourBitBlocks.BlockCount(count, blockSize)} are needed");
    }

    /// <summary>What the codes stand for. The caller disposes it.</summary>
    public Tensor Dequantize()
    {
        var values = new float[Shape.Aggregate(1L, (product, size) => product * size)];
        FourBitBlocks.Dequantize(Packed, Scales, BlockSize, Kind, values);
        return tensor(values, Shape);
    }

    private static NestedScales ReadNested(SafetensorsReader file, string name, JsonSection state)
    {
        if (state.Count("nested_blocksize") != EightBitBlocks.BlockSize)
        {
            throw state.Fault("nested_blocksize", $"must be {EightBitBlocks.BlockSize}");
        }

        return new NestedScales(
            file.Read(name + ".absmax").data<byte>().ToArray(),
            file.Read(name + ".nested_absmax").data<float>().ToArray(),
            (float)(state.Number("nested_offset") ?? throw state.Fault("nested_offset", "is missing")),
            file.Read(name + ".nested_quant_map").data<float>().ToArray());
    }

    private static string? StateKey(SafetensorsReader file, string name) =>
        s_kinds.Select(kind => name + StatePrefix + kind).FirstOrDefault(key => file.Find(key) is not null);
}
