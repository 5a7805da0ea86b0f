using InstructTune.Dataset.Examples;
using InstructTune.Storage;

namespace InstructTune.Dataset.Versions;

/// <summary>A version being written. Whatever is not published is deleted on disposal.</summary>
internal sealed class VersionDraft(StagingFolder staging) : IDisposable
{
    private readonly ShardWriter _writer = new(staging.Path);

    public StagingFolder Staging => staging;

    public long ExampleCount => _writer.ExampleCount;

    public IReadOnlyDictionary<string, long> ExampleCountByTask => _writer.ExampleCountByTask;

    public void Append(Example example) => _writer.Append(example);

    public string Finish() => _writer.Finish();

    public void Dispose()
    {
        _writer.Dispose();
        staging.Dispose();
    }
}
