namespace InstructTune.Modeling.Weights;

/// <summary>The weights of a model folder: one file, or the shards that an index names.</summary>
internal sealed class WeightFiles : IDisposable
{
    private const string SingleName = "model.safetensors";

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
            var index = new FileInfo(Path.Combine(folder, ShardIndex.FileName));
            if (index.Exists)
            {
                files.OpenShards(folder, ShardIndex.Parse(Limited(index)), warn);
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

    private static byte[] Limited(FileInfo index) => index.Length <= ShardIndex.MaxSizeBytes
        ? File.ReadAllBytes(index.FullName)
        : throw new ModelFormatException(ShardIndex.FileName, "", $"has {index.Length} bytes; the limit is {ShardIndex.MaxSizeBytes}");

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
            ? new ModelFormatException(SingleName, "", $"the folder has neither it nor {ShardIndex.FileName}")
            : new ModelFormatException(pickle, "", "is a pickle, which can run code when read; convert it to safetensors with its own program first");
    }

    private void OpenShards(string folder, ShardIndex index, Action<string> warn)
    {
        foreach (var shard in index.Shards)
        {
            Add(SafetensorsReader.Open(Path.Combine(folder, shard)));
        }

        foreach (var (tensor, shard) in index.ShardOf)
        {
            var holder = Find(tensor);
            if (holder?.FileName != shard)
            {
                throw new ModelFormatException(
                    ShardIndex.FileName, tensor, holder is null ? $"is not in {shard}, where the index puts it" : $"is in {holder.FileName}, and the index puts it in {shard}");
            }
        }

        CompareTotalSize(index, warn);
    }

    private void CompareTotalSize(ShardIndex index, Action<string> warn)
    {
        var actual = _readers.Sum(r => r.Entries.Sum(e => e.SizeBytes));
        if (index.ClaimedSizeBytes is { } claimed && claimed.GetDouble() != actual)
        {
            warn($"{ShardIndex.FileName}: total_size is {claimed.GetRawText()}; the shards hold {actual} bytes");
        }
    }

    private void Add(SafetensorsReader reader)
    {
        _readers.Add(reader);
        foreach (var entry in reader.Entries)
        {
            if (!_byTensor.TryAdd(entry.Name, reader))
            {
                throw new ModelFormatException(ShardIndex.FileName, entry.Name, $"is in both {_byTensor[entry.Name].FileName} and {reader.FileName}");
            }
        }
    }
}
