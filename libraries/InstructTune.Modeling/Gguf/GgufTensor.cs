namespace InstructTune.Modeling.Gguf;

/// <summary>One tensor of a GGUF file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Number format.</param>
/// <param name="Shape">Dimensions, slowest first as in Hugging Face: the reverse of the file's.</param>
/// <param name="OffsetBytes">First byte, counted from the start of the data.</param>
/// <param name="SizeBytes">Length.</param>
public sealed record GgufTensor(string Name, GgufTensorType Type, IReadOnlyList<long> Shape, long OffsetBytes, long SizeBytes)
{
    /// <summary>Elements of a row: the last dimension.</summary>
    public long RowElements => Shape[^1];

    /// <summary>Rows, over all other dimensions.</summary>
    public long Rows => Shape.SkipLast(1).Aggregate(1L, (a, b) => a * b);

    /// <summary>Number of elements.</summary>
    public long Elements => Rows * RowElements;
}
