using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>Rows of a matrix of Hugging Face, written in a type of GGUF and in its order.</summary>
/// <param name="Name">The tensor, for refusals.</param>
/// <param name="Shape">Dimensions.</param>
/// <param name="Read">Fills a span with elements from a given one on.</param>
internal sealed record GgufRows(string Name, IReadOnlyList<long> Shape, GgufRows.ElementReader Read)
{
    private const int PieceElements = 1 << 20;

    public delegate void ElementReader(long first, Span<float> target);

    /// <summary>The type that the rows can have: blocks need rows of whole blocks; where they are not, float16 as llama.cpp does. Vectors stay float32.</summary>
    public GgufTensorType Storable(GgufTensorType type) =>
        Shape.Count == 1 ? GgufTensorType.F32
        : Shape[^1] % GgufTensorTypes.BlockElements(type) == 0 ? type
        : GgufTensorType.F16;

    /// <param name="name">In GGUF.</param>
    /// <param name="wanted">The type, where the rows can have it.</param>
    /// <param name="heads">How many heads have interleaved rows; 0 where the order is the same.</param>
    public GgufSource ToSource(string name, GgufTensorType wanted, int heads)
    {
        var type = Storable(wanted);
        return new GgufSource(name, type, Shape, stream => Write(stream, type, heads));
    }

    private void Write(Stream stream, GgufTensorType type, int heads)
    {
        var (rows, width) = Shape.Count == 1 ? (Shape[0], 1L) : (Shape[0], Shape[1]);
        var headRows = heads == 0 ? 0 : (int)(rows / heads);
        var pieceRows = heads == 0 ? Math.Clamp(PieceElements / width, 1, rows) : headRows;
        var values = new float[pieceRows * width];
        var ordered = new float[heads == 0 ? 0 : values.Length];
        var bytes = new byte[GgufTensorTypes.SizeBytes(type, values.Length)];
        for (long first = 0; first < rows; first += pieceRows)
        {
            var piece = values.AsSpan(0, (int)(Math.Min(pieceRows, rows - first) * width));
            Read(first * width, piece);
            if (heads > 0)
            {
                for (var row = 0; row < headRows; row++)
                {
                    piece.Slice(row * (int)width, (int)width).CopyTo(ordered.AsSpan(GgufNames.InterleavedRow(row, headRows) * (int)width));
                }

                piece = ordered;
            }

            if (type != GgufTensorType.F32)
            {
                RefuseOverflow(piece);
            }

            var written = bytes.AsSpan(0, (int)GgufTensorTypes.SizeBytes(type, piece.Length));
            GgufQuantizer.Quantize(type, piece, written);
            stream.Write(written);
        }
    }

    // float16 ends at 65,504; the scale of a block is at most that of its largest element.
    private void RefuseOverflow(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (Math.Abs(value) >= 65_520)
            {
                throw new ModelFormatException("model.safetensors", Name, $"holds {value}, which float16 cannot; export as float32");
            }
        }
    }
}
