using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>
/// Writes safetensors files as the reference library does: larger elements first, then by name, header padded to 8 bytes. Equal
/// tensors give equal bytes.
/// </summary>
public static class SafetensorsWriter
{
    private static readonly KeyValuePair<string, string>[] s_metadata = [new("format", "pt")];

    /// <summary>Writes the tensors to a new file and flushes it to the disk.</summary>
    /// <param name="path">Where; the file must not exist yet.</param>
    /// <param name="tensors">What.</param>
    /// <param name="storageType">Type that floating-point tensors are rounded to; their own when null.</param>
    public static void Write(string path, IEnumerable<NamedTensor> tensors, ScalarType? storageType = null)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var planned = Plan(tensors, storageType);
        WriteHeader(stream, planned);
        foreach (var (tensor, entry) in planned)
        {
            WriteData(stream, tensor, entry);
        }

        stream.Flush(flushToDisk: true);
    }

    private static List<(NamedTensor Tensor, TensorEntry Entry)> Plan(IEnumerable<NamedTensor> tensors, ScalarType? storageType)
    {
        var ordered = tensors
            .Select(t => (Tensor: t, Type: storageType is { } type && t.Value.is_floating_point() ? type : t.Value.dtype))
            .OrderByDescending(t => ElementTypes.SizeBytes(t.Type))
            .ThenBy(t => t.Tensor.Name, StringComparer.Ordinal);
        var result = new List<(NamedTensor, TensorEntry)>();
        long offset = 0;
        foreach (var (tensor, type) in ordered)
        {
            var size = tensor.Value.numel() * ElementTypes.SizeBytes(type);
            result.Add((tensor, new TensorEntry(tensor.Name, type, tensor.Value.shape, offset, size)));
            offset += size;
        }

        return result;
    }

    private static void WriteHeader(FileStream stream, List<(NamedTensor Tensor, TensorEntry Entry)> planned)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in s_metadata)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
            foreach (var (_, entry) in planned)
            {
                WriteEntry(json, entry);
            }

            json.WriteEndObject();
        }

        var padded = (buffer.WrittenCount + 7) / 8 * 8;
        buffer.GetSpan(padded - buffer.WrittenCount)[..(padded - buffer.WrittenCount)].Fill((byte)' ');
        buffer.Advance(padded - buffer.WrittenCount);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, padded);
        stream.Write(length);
        stream.Write(buffer.WrittenSpan);
    }

    private static void WriteEntry(Utf8JsonWriter json, TensorEntry entry)
    {
        json.WriteStartObject(entry.Name);
        json.WriteString("dtype", ElementTypes.Name(entry.Type));
        json.WriteStartArray("shape");
        foreach (var dimension in entry.Shape)
        {
            json.WriteNumberValue(dimension);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(entry.OffsetBytes);
        json.WriteNumberValue(entry.OffsetBytes + entry.SizeBytes);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteData(FileStream stream, NamedTensor tensor, TensorEntry entry)
    {
        const long pieceElements = 1L << 27;
        using var scope = NewDisposeScope();
        var flat = tensor.Value.detach().cpu().to(entry.Type).contiguous().view(-1);
        var count = flat.size(0);
        for (long done = 0; done < count; done += pieceElements)
        {
            using var piece = flat.narrow(0, done, Math.Min(pieceElements, count - done));
            stream.Write(piece.bytes);
        }
    }
}
