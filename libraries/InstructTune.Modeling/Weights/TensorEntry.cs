using static TorchSharp.torch;

namespace InstructTune.Modeling.Weights;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions.</param>
/// <param name="OffsetBytes">First byte, counted from the end of the header.</param>
/// <param name="SizeBytes">Length.</param>
public sealed record TensorEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape, long OffsetBytes, long SizeBytes)
{
    /// <summary>Shape for messages.</summary>
    public string ShapeText => ShapeToText(Shape);

    /// <summary>Whether the elements are floating-point numbers.</summary>
    public bool IsFloatingPoint => Type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;

    internal static string ShapeToText(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";
}

/// <summary>Element types by their names in safetensors headers.</summary>
internal static class ElementTypes
{
    private static readonly (string Name, ScalarType Type, int SizeBytes)[] s_types =
    [
        ("F64", ScalarType.Float64, 8),
        ("I64", ScalarType.Int64, 8),
        ("F32", ScalarType.Float32, 4),
        ("I32", ScalarType.Int32, 4),
        ("BF16", ScalarType.BFloat16, 2),
        ("F16", ScalarType.Float16, 2),
        ("I16", ScalarType.Int16, 2),
        ("BOOL", ScalarType.Bool, 1),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
    ];

    public static ScalarType? Find(string name) => Array.Find(s_types, t => t.Name == name) is { Name: not null } found ? found.Type : null;

    public static string Name(ScalarType type) => Of(type).Name;

    public static int SizeBytes(ScalarType type) => Of(type).SizeBytes;

    public static ScalarType? FromConfig(string name) => name switch
    {
        "float32" => ScalarType.Float32,
        "bfloat16" => ScalarType.BFloat16,
        "float16" => ScalarType.Float16,
        _ => null,
    };

    private static (string Name, ScalarType Type, int SizeBytes) Of(ScalarType type)
    {
        var found = Array.Find(s_types, t => t.Type == type);
        return found.Name is null ? throw new NotSupportedException($"Tensors of type {type} cannot be stored.") : found;
    }
}
