using InstructTune.Kernels;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Serving;

/// <summary>
/// A GGUF file. Blocks of Q8_0, Q4_0 and Q4_1 are repacked with every code and scale as it is; what is stored in another type is packed in the
/// format given.
/// </summary>
internal sealed class KernelGgufSource : KernelSource
{
    private readonly GgufReader _reader;
    private readonly Dictionary<string, GgufTensor> _tensors;
    private readonly WeightFormat _others;

    private KernelGgufSource(GgufReader reader, LlamaConfig config, WeightFormat others)
        : base(config)
    {
        (_reader, _others) = (reader, others);
        _tensors = GgufTensorMap.Of(reader, config).ToDictionary(pair => pair.Weight.Name, pair => pair.Tensor, StringComparer.Ordinal);
    }

    /// <param name="path">The file.</param>
    /// <param name="others">For matrices without blocks.</param>
    /// <param name="config">Null for what the file itself says.</param>
    public static KernelGgufSource Open(string path, WeightFormat others, LlamaConfig? config = null)
    {
        var reader = GgufReader.Open(path);
        try
        {
            return new KernelGgufSource(reader, config ?? GgufConfig.Read(reader), others);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    public override KernelMatrix Matrix(string name, int outputs, int inputs)
    {
        var tensor = _tensors[name];
        var rowOf = RowOrder(name, outputs);
        var matrix = BlocksOf(tensor.Type) is { } blocks
            ? KernelMatrix.Repack(blocks, outputs, inputs, output => FiniteRow(tensor, rowOf(output), inputs))
            : KernelMatrix.Create(_others, outputs, inputs, (output, row) => _reader.ReadRows(tensor, rowOf(output), row));
        _reader.Forget(tensor);
        return matrix;
    }

    public override AlignedBuffer<float> Vector(string name, int length)
    {
        var buffer = new AlignedBuffer<float>(length);
        var stored = new float[length];
        _reader.ReadRows(_tensors[name], 0, stored);
        var rowOf = RowOrder(name, length);
        for (var i = 0; i < length; i++)
        {
            buffer.Span(i, 1)[0] = stored[rowOf(i)];
        }

        return buffer;
    }

    public override void Dispose() => _reader.Dispose();

    public static BlockFormat? BlocksOf(GgufTensorType type) => type switch
    {
        GgufTensorType.Q8_0 => BlockFormat.Q80,
        GgufTensorType.Q4_0 => BlockFormat.Q40,
        GgufTensorType.Q4_1 => BlockFormat.Q41,
        _ => null,
    };

    /// <summary>Rows of query and key heads are interleaved in the file; here they are in halves.</summary>
    private Func<int, int> RowOrder(string name, int rows)
    {
        var heads = GgufNames.InterleavedHeads(Config, name);
        if (heads == 0)
        {
            return static row => row;
        }

        var headRows = rows / heads;
        return row => (row / headRows * headRows) + GgufNames.InterleavedRow(row % headRows, headRows);
    }

    /// <summary>A number of a block is finite where its scale, and its minimum, are.</summary>
    private ReadOnlySpan<byte> FiniteRow(GgufTensor tensor, int row, int inputs)
    {
        var stored = _reader.StoredRows(tensor, row, 1);
        var bytes = GgufTensorTypes.BlockBytes(tensor.Type);
        for (var start = 0; start < inputs / GgufTensorTypes.BlockElements(tensor.Type) * bytes; start += bytes)
        {
            var block = stored[start..];
            if (!float.IsFinite(GgufDequantizer.Half(block)) || (tensor.Type == GgufTensorType.Q4_1 && !float.IsFinite(GgufDequantizer.Half(block[2..]))))
            {
                throw new ModelFormatException(_reader.FileName, tensor.Name, "is not finite: it holds NaN or infinity");
            }
        }

        return stored;
    }
}
