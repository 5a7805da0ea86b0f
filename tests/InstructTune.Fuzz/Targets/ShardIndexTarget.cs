using InstructTune.Modeling.Weights;

namespace InstructTune.Fuzz.Targets;

/// <summary>model.safetensors.index.json.</summary>
internal sealed class ShardIndexTarget : FuzzTarget
{
    public override string Name => "index";

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "\"weight_map\":{", "\"metadata\":{", "../", "/etc/passwd", "\\u0000", "\\ud800", "null", "{}", "[]", "1e999", "\"total_size\":" }.Select(Bytes.Text)];

    public override IReadOnlyList<byte[]> Seeds() =>
    [
        Bytes.Text("""{"metadata":{"total_size":40},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"""),
        Bytes.Text("""{"weight_map":{"model.norm.weight":"x.safetensors"}}"""),
    ];

    public override long AllocationLimitBytes(int inputSizeBytes) => 32_768 + (64L * inputSizeBytes);

    public override void Run(byte[] input)
    {
        foreach (var shard in ShardIndex.Parse(input).Shards)
        {
            if (Path.GetFileName(shard) != shard || shard.Length == 0)
            {
                throw new InvariantException($"{shard} is not a file of the folder.");
            }
        }
    }

    public override bool IsRefusal(Exception exception) => exception is ModelFormatException;
}
