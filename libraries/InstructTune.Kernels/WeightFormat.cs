namespace InstructTune.Kernels;

/// <summary>How the weights of linear layers are kept in memory. Activations and sums are float32 or exact integers in all of them.</summary>
public enum WeightFormat
{
    /// <summary>4 bytes a weight.</summary>
    Float32,

    /// <summary>2 bytes; the upper half of a float32, rounded to even.</summary>
    BFloat16,

    /// <summary>1.0625 bytes; blocks of 32 with one half-precision scale, as Q8_0 of GGUF.</summary>
    Int8,

    /// <summary>0.5625 bytes; blocks of 32 with one half-precision scale, as Q4_0 of GGUF.</summary>
    Int4,
}

/// <summary>What a format costs.</summary>
public static class WeightFormatSizes
{
    /// <summary>Bytes of memory for each weight, scales included.</summary>
    public static double BytesPerWeight(this WeightFormat format) => format switch
    {
        WeightFormat.Float32 => 4,
        WeightFormat.BFloat16 => 2,
        WeightFormat.Int8 => 34.0 / 32,
        WeightFormat.Int4 => 18.0 / 32,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "no such format"),
    };
}
