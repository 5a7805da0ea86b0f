using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Gguf;

/// <summary>
/// The header of a GGUF file: metadata and tensors. Refuses, by name, what is not whole, before it allocates. Limits: strings of 16 MiB,
/// names of 63 bytes, four dimensions, <see cref="MaxCount"/> keys and tensors, no arrays of arrays.
/// </summary>
internal sealed class GgufHeader
{
    public const int MaxCount = 65_536;
    private const uint Magic = 0x46554747;
    private const int MaxKeyBytes = 65_535;
    private const int MaxTextBytes = 16 * 1024 * 1024;
    private const int MaxNameBytes = 63;
    private const int MaxDimensions = 4;
    private const long DefaultAlignment = 32;

    private readonly GgufCursor _cursor;
    private readonly string _file;

    private GgufHeader(string file, Stream stream, long sizeBytes)
    {
        _file = file;
        _cursor = new GgufCursor(file, stream, sizeBytes);
        Metadata = new GgufMetadata(file);
    }

    public GgufMetadata Metadata { get; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; private set; } = [];

    /// <summary>Where the data begins.</summary>
    public long DataOffset { get; private set; }

    public static GgufHeader Read(string file, Stream stream, long sizeBytes)
    {
        var header = new GgufHeader(file, stream, sizeBytes);
        var (tensors, keys) = header.ReadCounts();
        for (var i = 0; i < keys; i++)
        {
            header.ReadPair(i, keys);
        }

        var alignment = header.ReadAlignment();
        var entries = header.ReadTensors(tensors);
        header.DataOffset = (header._cursor.Position + alignment - 1) / alignment * alignment;
        header.Tensors = GgufLayout.Check(file, entries, alignment, sizeBytes - header.DataOffset);
        return header;
    }

    private (int Tensors, int Keys) ReadCounts()
    {
        _cursor.Place = "magic";
        if (_cursor.Left < 4 || _cursor.UInt32() != Magic)
        {
            throw _cursor.Fault("the first four bytes must be GGUF");
        }

        _cursor.Place = "version";
        var version = _cursor.UInt32();
        if (version is not (2 or 3))
        {
            throw _cursor.Fault((version & 0xFFFF) == 0
                ? "has its bytes swapped: the file is big-endian, which is not read"
                : $"is {version}; versions 2 and 3 are read");
        }

        return (ReadCount("tensor count"), ReadCount("metadata count"));
    }

    private int ReadCount(string what)
    {
        _cursor.Place = what;
        var count = _cursor.UInt64();
        return count <= MaxCount ? (int)count : throw _cursor.Fault($"is {count}; the limit is {MaxCount}");
    }

    private void ReadPair(int index, int count)
    {
        _cursor.Place = $"metadata key {index + 1} of {count}";
        var key = _cursor.Text(MaxKeyBytes);
        _cursor.Place = $"metadata {key}";
        Metadata.Add(key, ReadValue(_cursor.UInt32()));
    }

    private GgufValue ReadValue(uint number)
    {
        var type = KnownType(number);
        if (type == GgufValueType.String)
        {
            return GgufValue.Text(_cursor.Text(MaxTextBytes));
        }

        if (type != GgufValueType.Array)
        {
            return GgufValue.Number(type, _cursor.Bytes(GgufValue.Size(type)));
        }

        var element = KnownType(_cursor.UInt32());
        var count = _cursor.UInt64();
        if (element == GgufValueType.Array)
        {
            throw _cursor.Fault("is an array of arrays, which is not read");
        }

        var leastBytes = element == GgufValueType.String ? 8 : GgufValue.Size(element);
        if (count > (ulong)(_cursor.Left / leastBytes))
        {
            throw _cursor.Fault($"has {count} elements; the file is too short for so many");
        }

        return element == GgufValueType.String
            ? GgufValue.List(ReadTexts((int)count))
            : GgufValue.Number(element, _cursor.Bytes((long)count * leastBytes), isArray: true);
    }

    private string[] ReadTexts(int count)
    {
        var texts = new string[count];
        for (var i = 0; i < count; i++)
        {
            texts[i] = _cursor.Text(MaxTextBytes);
        }

        return texts;
    }

    private GgufValueType KnownType(uint number) =>
        number <= (uint)GgufValueType.Float64 ? (GgufValueType)number : throw _cursor.Fault($"has value type {number}, which does not exist");

    private long ReadAlignment()
    {
        const string key = "general.alignment";
        if (!Metadata.Has(key))
        {
            return DefaultAlignment;
        }

        var value = Metadata.Integer(key, 0, int.MaxValue)!.Value;
        return value >= 8 && long.IsPow2(value) ? value : throw Metadata.Fault(key, $"is {value}; it must be a power of two from 8");
    }

    private List<GgufEntry> ReadTensors(int count)
    {
        var entries = new List<GgufEntry>();
        for (var i = 0; i < count; i++)
        {
            _cursor.Place = $"tensor {i + 1} of {count}";
            var name = _cursor.Text(MaxKeyBytes);
            if (System.Text.Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
            {
                throw new ModelFormatException(_file, name[..Math.Min(name.Length, 128)], $"the name of the tensor is longer than {MaxNameBytes} bytes");
            }

            _cursor.Place = $"tensor {name}";
            var dimensions = _cursor.UInt32();
            if (dimensions is 0 or > MaxDimensions)
            {
                throw _cursor.Fault($"has {dimensions} dimensions; it must have 1 to {MaxDimensions}");
            }

            var shape = new ulong[dimensions];
            for (var d = 0; d < shape.Length; d++)
            {
                shape[shape.Length - 1 - d] = _cursor.UInt64();
            }

            entries.Add(new GgufEntry(name, _cursor.UInt32(), shape, _cursor.UInt64()));
        }

        return entries;
    }
}

/// <summary>A tensor as the file describes it, unchecked. Dimensions slowest first.</summary>
internal sealed record GgufEntry(string Name, uint Type, ulong[] Shape, ulong Offset);
