using System.Buffers;
using System.Security.Cryptography;
using InstructTune.Dataset.Examples;
using InstructTune.Storage;

namespace InstructTune.Dataset.Versions;

/// <summary>Writes examples in canonical form into shards of equal count, and knows the digest of all of them.</summary>
internal sealed class ShardWriter(string folder) : IDisposable
{
    // A reader that starts anywhere skips at most one shard's lines: some milliseconds.
    public const int ShardExampleCount = 10_000;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Dictionary<string, long> _countByTask = new(StringComparer.Ordinal);
    private FileStream? _shard;

    public long ExampleCount { get; private set; }

    public IReadOnlyDictionary<string, long> ExampleCountByTask => _countByTask;

    public static string FileName(long shardIndex) => $"examples-{shardIndex:d6}.jsonl";

    public void Append(Example example)
    {
        if (ExampleCount % ShardExampleCount == 0)
        {
            _shard?.Dispose();
            _shard = new FileStream(
                Path.Combine(folder, FileName(ExampleCount / ShardExampleCount)), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        }

        _line.ResetWrittenCount();
        CanonicalForm.Write(example, _line);
        _hash.AppendData(_line.WrittenSpan);
        FailPoint.Hit("shard.before-write");
        _shard!.Write(_line.WrittenSpan);
        ExampleCount++;
        if (example.Task.Length > 0)
        {
            _countByTask[example.Task] = _countByTask.GetValueOrDefault(example.Task) + 1;
        }
    }

    /// <summary>Closes the last shard and returns the SHA-256 of all lines, lower-case hex.</summary>
    public string Finish()
    {
        _shard?.Dispose();
        _shard = null;
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose()
    {
        _shard?.Dispose();
        _hash.Dispose();
    }
}
