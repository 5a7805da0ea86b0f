using InstructTune.Dataset.Examples;
using InstructTune.Dataset.Import;
using InstructTune.Dataset.Versions;
using InstructTune.Storage;

namespace InstructTune.Dataset.Reading;

/// <summary>Reads the examples of a version in stored order from any position.</summary>
internal sealed class ShardReader(IArtifactStore artifacts)
{
    /// <summary>Opens the version, which verifies its files; the examples are read as they are taken.</summary>
    public async Task<IEnumerable<Example>> OpenAsync(VersionRecord version, long startIndex, long count, CancellationToken ct)
    {
        var folder = await artifacts.OpenAsync(version.ManifestSha256, ct);
        return Read(folder.Path, version, startIndex, Math.Min(count, version.ExampleCount - startIndex));
    }

    private static IEnumerable<Example> Read(string folder, VersionRecord version, long startIndex, long count)
    {
        var shardIndex = startIndex / version.ShardExampleCount;
        var skip = startIndex % version.ShardExampleCount;
        while (count > 0)
        {
            using var shard = new FileStream(
                Path.Combine(folder, ShardWriter.FileName(shardIndex++)), FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            foreach (var line in LineSource.Read(shard, int.MaxValue))
            {
                if (skip > 0)
                {
                    skip--;
                    continue;
                }

                if (count-- <= 0)
                {
                    yield break;
                }

                yield return CanonicalForm.Read(line.Bytes);
            }
        }
    }
}
