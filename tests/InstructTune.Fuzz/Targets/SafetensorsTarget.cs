using InstructTune.Modeling.Weights;

namespace InstructTune.Fuzz.Targets;

/// <summary>A safetensors file as it is opened.</summary>
internal sealed class SafetensorsTarget : FuzzTarget
{
    private readonly ScratchFile _file = new("model.safetensors");

    public override string Name => "safetensors";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[]
        {
            "\"__metadata__\":{", "\"dtype\":\"BF16\"", "\"shape\":[", "\"data_offsets\":[0,", "9223372036854775807", "18446744073709551616", "-1", "1e3", "null",
            "\\ud800", "[[[[[[[[[[", "{\"a\":", "F64", "F8_E4M3", "0,0", "\"\"",
        }.Select(System.Text.Encoding.UTF8.GetBytes),
    ];

    public override IReadOnlyList<byte[]> Seeds() =>
    [
        Bytes.Safetensors(("a", "F32", [2, 3]), ("b", "BF16", [4]), ("c", "I64", [])),
        Bytes.Safetensors(("model.embed_tokens.weight", "F16", [8, 4]), ("model.norm.weight", "F32", [4]), ("empty", "U8", [0, 7])),
        Bytes.Safetensors(),
    ];

    public override long AllocationLimitBytes(int inputSizeBytes) => 32_768 + (64L * inputSizeBytes);

    public override void Run(byte[] input)
    {
        using var reader = SafetensorsReader.Open(_file.Put(input));
        foreach (var entry in reader.Entries)
        {
            if (entry.OffsetBytes < 0 || entry.OffsetBytes + entry.SizeBytes > input.Length - 8)
            {
                throw new InvariantException($"{entry.Name} lies outside the file.");
            }
        }
    }

    public override bool IsRefusal(Exception exception) => exception is ModelFormatException;
}
