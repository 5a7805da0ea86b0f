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
    public static void Write(string path, IEnumerable<NamedTensor> tensors, ScalarType? storageType = null) =>
        Write(path, tensors.Select(t => TensorSource.Of(t, storageType)));

    internal static void Write(string path, IEnumerable<TensorSource> tensors)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var planned = Plan(tensors);
        WriteHeader(stream, planned);
        foreach (var (tensor, entry) in planned)
        {
            var expected = stream.Position + entry.SizeBytes;
            tensor.WriteTo(stream);
            if (stream.Position != expected)
            {
                throw new InvalidOperationException($"{tensor.Name} wrote {stream.Position - expected + entry.SizeBytes} bytes; its shape takes {entry.SizeBytes}.");
            }
        }

        stream.Flush(flushToDisk: true);
    }

    private static List<(TensorSource Tensor, TensorEntry Entry)> Plan(IEnumerable<TensorSource> tensors)
    {
        var ordered = tensors.OrderByDescending(t => ElementTypes.SizeBytes(t.Type)).ThenBy(t => t.Name, StringComparer.Ordinal);
        var result = new List<(TensorSource, TensorEntry)>();
        long offset = 0;
        foreach (var tensor in ordered)
        {
            result.Add((tensor, new TensorEntry(tensor.Name, tensor.Type, tensor.Shape, offset, tensor.SizeBytes)));
            offset += tensor.SizeBytes;
        }

        return result;
    }

    private static void WriteHeader(FileStream stream, List<(TensorSource Tensor, TensorEntry Entry)> planned)
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
}
