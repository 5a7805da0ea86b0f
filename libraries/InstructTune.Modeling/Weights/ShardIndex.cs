using System.Text.Json;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Weights;

/// <summary>model.safetensors.index.json: which tensor lies in which file of the folder.</summary>
internal sealed class ShardIndex
{
    public const string FileName = "model.safetensors.index.json";

    /// <summary>Larger than that of any model there is.</summary>
    public const long MaxSizeBytes = 100_000_000;

    private ShardIndex(IReadOnlyDictionary<string, string> shardOf, JsonElement? claimedSizeBytes)
    {
        ShardOf = shardOf;
        ClaimedSizeBytes = claimedSizeBytes;
        Shards = [.. shardOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    public IReadOnlyDictionary<string, string> ShardOf { get; }

    /// <summary>The files by name.</summary>
    public IReadOnlyList<string> Shards { get; }

    /// <summary>metadata.total_size as written; it is only compared.</summary>
    public JsonElement? ClaimedSizeBytes { get; }

    public static ShardIndex Parse(ReadOnlySpan<byte> json)
    {
        var root = JsonSection.Parse(FileName, json);
        var map = root.Section("weight_map") ?? throw root.Fault("weight_map", "is missing");
        var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var tensor in map.Keys)
        {
            var shard = map.Text(tensor) ?? throw map.Fault(tensor, "must name a file");
            RefusePath(shard);
            if (!shardOf.TryAdd(tensor, shard))
            {
                throw map.Fault(tensor, "is named twice");
            }
        }

        var claimed = root.Section("metadata")?.Find("total_size");
        return new ShardIndex(shardOf, claimed is { ValueKind: JsonValueKind.Number } ? claimed : null);
    }

    // A plain name of this folder: nothing else may be opened, on any system.
    private static void RefusePath(string shard)
    {
        if (shard.Length == 0 || shard.AsSpan().IndexOfAny(['/', '\\', ':', '\0']) >= 0 || shard is "." or "..")
        {
            throw new ModelFormatException(FileName, shard, "is not a plain file name; shards must lie in the folder itself");
        }
    }
}
