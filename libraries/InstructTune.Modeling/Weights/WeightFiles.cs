using System.Text.Json;
using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Weights;

/// <summary>The weights of a model folder: one file, or the shards that an index names.</summary>
internal sealed class WeightFiles : IDisposable
{
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";

    private readonly List<SafetensorsReader> _readers = [];
    private readonly Dictionary<string, SafetensorsReader> _byTensor = new(StringComparer.Ordinal);

    private WeightFiles()
    {
    }

    public IReadOnlyCollection<string> Names => _byTensor.Keys;

    public static WeightFiles Open(string folder, Action<string> warn)
    {
        var files = new WeightFiles();
        try
        {
            var index = Path.Combine(folder, IndexName);
            if (File.Exists(index))
            {
                files.OpenShards(folder, JsonSection.Parse(IndexName, File.ReadAllBytes(index)), warn);
            }
            else
            {
                RefuseFolderWithoutSafetensors(folder);
                files.Add(SafetensorsReader.Open(Path.Combine(folder, SingleName)));
            }

            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>The file that holds a tensor, or null.</summary>
    public SafetensorsReader? Find(string tensor) => _byTensor.GetValueOrDefault(tensor);

    public void Dispose() => _readers.ForEach(r => r.Dispose());

    private static void RefuseFolderWithoutSafetensors(string folder)
    {
        if (File.Exists(Path.Combine(folder, SingleName)))
        {
            return;
        }

        var pickle = Directory.EnumerateFiles(folder)
            .Select(Path.GetFileName)
            .FirstOrDefault(f => f!.EndsWith(".bin", StringComparison.Ordinal) || f.EndsWith(".pth", StringComparison.Ordinal) || f.EndsWith(".pt", StringComparison.Ordinal));
        throw pickle is null
            ? new ModelFormatException(SingleName, "", $"the folder has neither it nor {IndexName}")
            : new ModelFormatException(pickle, "", "is a pickle, which can run code when read; convert it to safetensors with its own program first");
    }

    private void OpenShards(string folder, JsonSection index, Action<string> warn)
    {
        var map = index.Section("weight_map") ?? throw index.Fault("weight_map", "is missing");
        var shardOf = map.Keys.ToDictionary(k => k, k => map.Text(k) ?? throw map.Fault(k, "must name a file"), StringComparer.Ordinal);
        foreach (var shard in shardOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            // A plain name of this folder: nothing else may be opened, on any system.
            if (shard.Length == 0 || shard.AsSpan().IndexOfAny(['/', '\\', ':', '\0']) >= 0 || shard is "." or "..")
            {
                throw new ModelFormatException(IndexName, shard, "is not a plain file name; shards must lie in the folder itself");
            }

            Add(SafetensorsReader.Open(Path.Combine(folder, shard)));
        }

        foreach (var (tensor, shard) in shardOf)
        {
            var holder = Find(tensor);
            if (holder?.FileName != shard)
            {
                throw new ModelFormatException(IndexName, tensor, holder is null ? $"is not in {shard}, where the index puts it" : $"is in {holder.FileName}, and the index puts it in {shard}");
            }
        }

        CompareTotalSize(index, warn);
    }

    private void CompareTotalSize(JsonSection index, Action<string> warn)
    {
        var actual = _readers.Sum(r => r.Entries.Sum(e => e.SizeBytes));
        if (index.Section("metadata")?.Find("total_size") is { ValueKind: JsonValueKind.Number } claimed && claimed.GetDouble() != actual)
        {
            warn($"{IndexName}: total_size is {claimed.GetRawText()}; the shards hold {actual} bytes");
        }
    }

    private void Add(SafetensorsReader reader)
    {
        _readers.Add(reader);
        foreach (var entry in reader.Entries)
        {
            if (!_byTensor.TryAdd(entry.Name, reader))
            {
                throw new ModelFormatException(IndexName, entry.Name, $"is in both {_byTensor[entry.Name].FileName} and {reader.FileName}");
            }
        }
    }
}
