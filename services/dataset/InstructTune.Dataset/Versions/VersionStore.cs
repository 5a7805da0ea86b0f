using InstructTune.Storage;

namespace InstructTune.Dataset.Versions;

/// <summary>
/// Datasets and their versions as documents, examples as artifacts. A version's document is written last, so what is visible is
/// complete; equal content finds the document that is there.
/// </summary>
internal sealed class VersionStore(IArtifactStore artifacts, IDocumentStore documents)
{
    private const string Datasets = "datasets";
    private const string Latest = "latest";
    private const int IdLength = 16;
    private const int MaxReportedTasks = 1000;

    public bool TryCreateDataset(string datasetId, DatasetRecord dataset) => documents.TryCreate(Datasets, datasetId, dataset);

    public Document<DatasetRecord>? FindDataset(string datasetId) => documents.Find<DatasetRecord>(Datasets, datasetId);

    public DocumentPage<DatasetRecord> ListDatasets(int pageSize, string pageToken) =>
        documents.List<DatasetRecord>(Datasets, pageSize, pageToken);

    public Document<VersionRecord>? FindVersion(string datasetId, string versionId)
    {
        if (versionId != Latest)
        {
            return documents.Find<VersionRecord>(Versions(datasetId), versionId);
        }

        return documents.List<VersionRecord>(Versions(datasetId), 1, "").Items is [var newest, ..] ? newest : null;
    }

    public DocumentPage<VersionRecord> ListVersions(string datasetId, int pageSize, string pageToken) =>
        documents.List<VersionRecord>(Versions(datasetId), pageSize, pageToken);

    public VersionDraft CreateDraft() => new(artifacts.CreateStaging());

    public async Task<Document<VersionRecord>> PublishAsync(
        string datasetId, VersionDraft draft, Provenance provenance, CancellationToken ct)
    {
        var contentSha256 = draft.Finish();
        var manifest = await artifacts.PublishAsync(draft.Staging, ct);
        var record = new VersionRecord
        {
            ContentSha256 = contentSha256,
            ManifestSha256 = manifest.Sha256,
            ExampleCount = draft.ExampleCount,
            ShardExampleCount = ShardWriter.ShardExampleCount,
            ExampleCountByTask = draft.ExampleCountByTask
                .OrderByDescending(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal).Take(MaxReportedTasks)
                .ToDictionary(t => t.Key, t => t.Value),
            Provenance = provenance,
        };

        var id = contentSha256[..IdLength];
        documents.TryCreate(Versions(datasetId), id, record);
        return documents.Find<VersionRecord>(Versions(datasetId), id)
            ?? throw new InvalidOperationException($"the version {id} of {datasetId} disappeared while it was created");
    }

    private static string Versions(string datasetId) => $"{Datasets}/{datasetId}/versions";
}
