using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace InstructTune.Fuzz;

/// <summary>Sound files for seeds.</summary>
internal static class Bytes
{
    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    public static byte[] Safetensors(params (string Name, string Type, long[] Shape)[] tensors)
    {
        var offset = 0L;
        var entries = new List<string> { "\"__metadata__\":{\"format\":\"pt\"}" };
        foreach (var (name, type, shape) in tensors)
        {
            var size = shape.Aggregate(SizeOf(type), (a, b) => a * b);
            entries.Add(string.Create(
                CultureInfo.InvariantCulture, $"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{offset},{offset + size}]}}"));
            offset += size;
        }

        var header = Text($"{{{string.Join(',', entries)}}}");
        var result = new byte[8 + header.Length + offset];
        BinaryPrimitives.WriteInt64LittleEndian(result, header.Length);
        header.CopyTo(result, 8);
        return result;
    }

    private static long SizeOf(string type) => type switch
    {
        "F64" or "I64" => 8,
        "F32" or "I32" => 4,
        "F16" or "BF16" => 2,
        _ => 1,
    };
}
