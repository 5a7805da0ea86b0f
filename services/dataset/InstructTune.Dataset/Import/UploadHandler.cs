using InstructTune.Dataset.Versions;
using InstructTune.Storage;

namespace InstructTune.Dataset.Import;

/// <summary>Makes a version of uploaded files. Nothing is visible, and nothing is left, before every record is read.</summary>
internal sealed class UploadHandler(VersionStore versions, IArtifactStore artifacts)
{
    public async Task<Document<VersionRecord>> UploadAsync(
        string datasetId, SourceOptions options, IAsyncEnumerable<FileChunk> chunks, CancellationToken ct)
    {
        // Never published: a folder on the same disk that disposal deletes.
        using var incoming = artifacts.CreateStaging();
        var files = await UploadedFiles.ReceiveAsync(chunks, incoming.Path, ct);
        using var draft = versions.CreateDraft();
        var report = await Task.Run(() => new Importer(options).Import(files, draft.Append, ct), ct);
        return await versions.PublishAsync(datasetId, draft, new Provenance { ImportReport = report }, ct);
    }
}
