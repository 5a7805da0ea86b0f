using System.Buffers.Binary;
using System.Text;

namespace InstructTune.Modeling.Gguf;

/// <summary>A tensor to be written, whose bytes are made while they are written. Dimensions slowest first.</summary>
internal sealed record GgufSource(string Name, GgufTensorType Type, IReadOnlyList<long> Shape, Action<Stream> WriteTo)
{
    public long SizeBytes => GgufTensorTypes.SizeBytes(Type, Shape.Aggregate(1L, (a, b) => a * b));
}

/// <summary>Writes GGUF files of version 3, little-endian, aligned to 32 bytes: metadata in the order given, then tensors in theirs.</summary>
internal sealed class GgufWriter : IDisposable
{
    private const int Alignment = 32;

    private readonly MemoryStream _metadata = new();
    private int _keys;

    public void Add(string key, string value) => AddPair(key, GgufValueType.String, () => WriteText(_metadata, value));

    public void Add(string key, int value) => AddPair(key, GgufValueType.UInt32, () => WriteNumber(_metadata, (uint)value));

    public void Add(string key, float value) => AddPair(key, GgufValueType.Float32, () => WriteNumber(_metadata, BitConverter.SingleToUInt32Bits(value)));

    public void Add(string key, bool value) => AddPair(key, GgufValueType.Bool, () => _metadata.WriteByte(value ? (byte)1 : (byte)0));

    public void Add(string key, IReadOnlyList<string> values) => AddList(key, GgufValueType.String, values, v => WriteText(_metadata, v));

    public void Add(string key, IReadOnlyList<int> values) => AddList(key, GgufValueType.Int32, values, v => WriteNumber(_metadata, (uint)v));

    public void Add(string key, IReadOnlyList<float> values) =>
        AddList(key, GgufValueType.Float32, values, v => WriteNumber(_metadata, BitConverter.SingleToUInt32Bits(v)));

    public void Dispose() => _metadata.Dispose();

    /// <summary>Writes the file, which must not exist yet, and flushes it to the disk.</summary>
    public void Write(string path, IReadOnlyList<GgufSource> tensors)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 65_536);
        WriteHeader(stream, tensors);
        Pad(stream);
        foreach (var tensor in tensors)
        {
            var end = stream.Position + tensor.SizeBytes;
            tensor.WriteTo(stream);
            if (stream.Position != end)
            {
                throw new InvalidOperationException($"{tensor.Name} wrote {stream.Position - end + tensor.SizeBytes} bytes; its shape takes {tensor.SizeBytes}.");
            }

            Pad(stream);
        }

        stream.Flush(flushToDisk: true);
    }

    private void WriteHeader(FileStream stream, IReadOnlyList<GgufSource> tensors)
    {
        stream.Write("GGUF"u8);
        WriteNumber(stream, 3);
        WriteLength(stream, tensors.Count);
        WriteLength(stream, _keys);
        _metadata.WriteTo(stream);
        long offset = 0;
        foreach (var tensor in tensors)
        {
            WriteText(stream, tensor.Name);
            WriteNumber(stream, (uint)tensor.Shape.Count);
            foreach (var dimension in tensor.Shape.Reverse())
            {
                WriteLength(stream, dimension);
            }

            WriteNumber(stream, (uint)tensor.Type);
            WriteLength(stream, offset);
            offset += (tensor.SizeBytes + Alignment - 1) / Alignment * Alignment;
        }
    }

    private void AddPair(string key, GgufValueType type, Action value)
    {
        WriteText(_metadata, key);
        WriteNumber(_metadata, (uint)type);
        value();
        _keys++;
    }

    private void AddList<T>(string key, GgufValueType type, IReadOnlyList<T> values, Action<T> write) => AddPair(key, GgufValueType.Array, () =>
    {
        WriteNumber(_metadata, (uint)type);
        WriteLength(_metadata, values.Count);
        foreach (var value in values)
        {
            write(value);
        }
    });

    private static void Pad(FileStream stream) => stream.Write(new byte[(int)(-stream.Position & (Alignment - 1))]);

    private static void WriteText(Stream stream, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        WriteLength(stream, bytes.Length);
        stream.Write(bytes);
    }

    private static void WriteNumber(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void WriteLength(Stream stream, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }
}
