namespace InstructTune.Modeling.Gguf;

/// <summary>Number formats of tensors that are read, by their numbers in the file.</summary>
public enum GgufTensorType
{
    /// <summary>float32.</summary>
    F32 = 0,

    /// <summary>float16.</summary>
    F16 = 1,

    /// <summary>Blocks of 32: 4 bits and a scale.</summary>
    Q4_0 = 2,

    /// <summary>Blocks of 32: 4 bits, a scale and a minimum.</summary>
    Q4_1 = 3,

    /// <summary>Blocks of 32: 5 bits and a scale.</summary>
    Q5_0 = 6,

    /// <summary>Blocks of 32: 5 bits, a scale and a minimum.</summary>
    Q5_1 = 7,

    /// <summary>Blocks of 32: 8 bits and a scale.</summary>
    Q8_0 = 8,

    /// <summary>Super-blocks of 256: 2 bits.</summary>
    Q2_K = 10,

    /// <summary>Super-blocks of 256: 3 bits.</summary>
    Q3_K = 11,

    /// <summary>Super-blocks of 256: 4 bits.</summary>
    Q4_K = 12,

    /// <summary>Super-blocks of 256: 5 bits.</summary>
    Q5_K = 13,

    /// <summary>Super-blocks of 256: 6 bits.</summary>
    Q6_K = 14,

    /// <summary>bfloat16.</summary>
    BF16 = 30,
}

/// <summary>Sizes of blocks.</summary>
internal static class GgufTensorTypes
{
    public static bool IsKnown(uint number) => number <= int.MaxValue && Enum.IsDefined((GgufTensorType)number);

    /// <summary>Elements of a block.</summary>
    public static int BlockElements(GgufTensorType type) => type switch
    {
        GgufTensorType.F32 or GgufTensorType.F16 or GgufTensorType.BF16 => 1,
        GgufTensorType.Q4_0 or GgufTensorType.Q4_1 or GgufTensorType.Q5_0 or GgufTensorType.Q5_1 or GgufTensorType.Q8_0 => 32,
        _ => 256,
    };

    /// <summary>Bytes of a block.</summary>
    public static int BlockBytes(GgufTensorType type) => type switch
    {
        GgufTensorType.F32 => 4,
        GgufTensorType.F16 or GgufTensorType.BF16 => 2,
        GgufTensorType.Q4_0 => 18,
        GgufTensorType.Q4_1 => 20,
        GgufTensorType.Q5_0 => 22,
        GgufTensorType.Q5_1 => 24,
        GgufTensorType.Q8_0 => 34,
        GgufTensorType.Q2_K => 84,
        GgufTensorType.Q3_K => 110,
        GgufTensorType.Q4_K => 144,
        GgufTensorType.Q5_K => 176,
        GgufTensorType.Q6_K => 210,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No such type."),
    };

    /// <summary>Bytes of that many elements, which fill whole blocks.</summary>
    public static long SizeBytes(GgufTensorType type, long elements) => elements / BlockElements(type) * BlockBytes(type);
}
