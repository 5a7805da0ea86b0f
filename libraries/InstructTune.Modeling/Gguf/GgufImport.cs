using System.Runtime.InteropServices;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Gguf;

/// <summary>
/// A GGUF file into a Hugging Face folder: config.json, weights, tokenizer. Weights pass through a buffer of a few megabytes; half-width
/// types stay as they are, quantised ones become float32. No number changes.
/// </summary>
public static class GgufImport
{
    private const int PieceElements = 1 << 20;

    /// <summary>Converts a file.</summary>
    /// <param name="path">The GGUF file.</param>
    /// <param name="folder">Where; made when absent, and without files of a model.</param>
    /// <param name="shardSizeBytes">Largest weight file.</param>
    /// <exception cref="ModelFormatException">The file is broken or holds what is not supported; nothing of use was written.</exception>
    public static void ToFolder(string path, string folder, long shardSizeBytes = HuggingFaceFolder.DefaultShardSizeBytes)
    {
        using var reader = GgufReader.Open(path);
        var config = GgufConfig.Read(reader);
        var map = GgufTensorMap.Of(reader, config);
        var tokenizer = GgufTokenizer.Read(reader.Metadata, config.VocabularySize);
        Directory.CreateDirectory(folder);
        HuggingFaceFolder.WriteFile(Path.Combine(folder, "config.json"), config.ToJson());
        tokenizer.Write(folder, config.ContextTokens);
        HuggingFaceFolder.WriteWeights(folder, [.. map.Select(m => Source(reader, config, m.Weight, m.Tensor))], shardSizeBytes);
    }

    /// <summary>Everything but the weights themselves: that the file holds a model that can be imported.</summary>
    internal static LlamaConfig Check(GgufReader reader)
    {
        var config = GgufConfig.Read(reader);
        GgufTensorMap.Of(reader, config);
        GgufTokenizer.Read(reader.Metadata, config.VocabularySize);
        return config;
    }

    private static TensorSource Source(GgufReader reader, LlamaConfig config, PlannedWeight weight, GgufTensor tensor)
    {
        var type = tensor.Type switch
        {
            GgufTensorType.F16 => ScalarType.Float16,
            GgufTensorType.BF16 => ScalarType.BFloat16,
            _ => ScalarType.Float32,
        };
        var heads = GgufNames.InterleavedHeads(config, weight.Name);
        return new TensorSource(weight.Name, type, weight.Shape, stream =>
        {
            Write(stream, reader, tensor, type, heads);
            reader.Forget(tensor);
        });
    }

    private static void Write(Stream stream, GgufReader reader, GgufTensor tensor, ScalarType type, int heads)
    {
        // A bias is one row in the file; its elements take the part of rows.
        var (rows, rowElements) = tensor.Shape.Count == 1 ? (tensor.RowElements, 1L) : (tensor.Rows, tensor.RowElements);
        var headRows = heads == 0 ? 0 : (int)(rows / heads);
        var pieceRows = heads == 0 ? Math.Clamp(PieceElements / rowElements, 1, rows) : headRows;
        var elementBytes = ElementTypes.SizeBytes(type);
        var rowBytes = checked((int)(rowElements * elementBytes));
        var values = new float[pieceRows * rowElements];
        var ordered = new byte[checked((int)(pieceRows * rowBytes))];
        for (long first = 0; first < rows; first += pieceRows)
        {
            var count = (int)Math.Min(pieceRows, rows - first);
            var piece = values.AsSpan(0, (int)(count * rowElements));
            var stored = Read(reader, tensor, first, piece, elementBytes);
            for (var row = 0; row < count; row++)
            {
                var from = heads == 0 ? row : GgufNames.InterleavedRow(row, headRows);
                stored.Slice(from * rowBytes, rowBytes).CopyTo(ordered.AsSpan(row * rowBytes));
            }

            stream.Write(ordered.AsSpan(0, count * rowBytes));
        }
    }

    // Reads as float32 in any case, for the check that all is finite; what is half-width is then copied as it lies in the file.
    private static ReadOnlySpan<byte> Read(GgufReader reader, GgufTensor tensor, long first, Span<float> piece, int elementBytes)
    {
        if (tensor.Shape.Count > 1)
        {
            reader.ReadRows(tensor, first, piece);
            return elementBytes == 4 ? MemoryMarshal.AsBytes(piece) : reader.StoredRows(tensor, first, (int)(piece.Length / tensor.RowElements));
        }

        var whole = new float[tensor.RowElements];
        reader.ReadRows(tensor, 0, whole);
        whole.AsSpan((int)first, piece.Length).CopyTo(piece);
        return elementBytes == 4
            ? MemoryMarshal.AsBytes(piece)
            : reader.StoredRows(tensor, 0, 1).Slice((int)first * elementBytes, piece.Length * elementBytes);
    }
}
