using System.Buffers.Binary;

namespace InstructTune.Modeling.Gguf;

/// <summary>Types of metadata by their numbers in the file.</summary>
public enum GgufValueType
{
    /// <summary>8 bits.</summary>
    UInt8 = 0,

    /// <summary>8 bits, signed.</summary>
    Int8 = 1,

    /// <summary>16 bits.</summary>
    UInt16 = 2,

    /// <summary>16 bits, signed.</summary>
    Int16 = 3,

    /// <summary>32 bits.</summary>
    UInt32 = 4,

    /// <summary>32 bits, signed.</summary>
    Int32 = 5,

    /// <summary>float32.</summary>
    Float32 = 6,

    /// <summary>One byte.</summary>
    Bool = 7,

    /// <summary>UTF-8.</summary>
    String = 8,

    /// <summary>Elements of one type.</summary>
    Array = 9,

    /// <summary>64 bits.</summary>
    UInt64 = 10,

    /// <summary>64 bits, signed.</summary>
    Int64 = 11,

    /// <summary>float64.</summary>
    Float64 = 12,
}

/// <summary>A value of the metadata: a number as its bytes, a text, or a list of either.</summary>
internal sealed class GgufValue
{
    private readonly byte[] _numbers = [];

    private GgufValue(GgufValueType type, bool isArray, byte[] numbers, string[] texts)
    {
        (Type, IsArray, _numbers, Texts) = (type, isArray, numbers, texts);
    }

    /// <summary>Type of the value, or of the elements.</summary>
    public GgufValueType Type { get; }

    public bool IsArray { get; }

    public string[] Texts { get; }

    public int Count => Type == GgufValueType.String ? Texts.Length : _numbers.Length / Size(Type);

    /// <summary>The numbers as they lie in the file.</summary>
    public ReadOnlySpan<byte> Numbers => _numbers;

    public static GgufValue Number(GgufValueType type, byte[] bytes, bool isArray = false) => new(type, isArray, bytes, []);

    public static GgufValue Text(string text) => new(GgufValueType.String, false, [], [text]);

    public static GgufValue List(string[] texts) => new(GgufValueType.String, true, [], texts);

    public static int Size(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a number."),
    };

    /// <summary>A whole number; null where the type is another or the number does not fit.</summary>
    public long? Integer(int index)
    {
        var bytes = _numbers.AsSpan();
        return Type switch
        {
            GgufValueType.UInt8 => bytes[index],
            GgufValueType.Int8 => (sbyte)bytes[index],
            GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * index)..]),
            GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * index)..]),
            GgufValueType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * index)..]),
            GgufValueType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * index)..]),
            GgufValueType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes[(8 * index)..]),
            GgufValueType.UInt64 when BinaryPrimitives.ReadUInt64LittleEndian(bytes[(8 * index)..]) is <= long.MaxValue and var value => (long)value,
            _ => null,
        };
    }

    /// <summary>A real number; null where the type is another.</summary>
    public double? Real(int index) => Type switch
    {
        GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(_numbers.AsSpan(4 * index)),
        GgufValueType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(_numbers.AsSpan(8 * index)),
        _ => Integer(index),
    };
}
