using InstructTune.Evaluation.Runs;
using InstructTune.Hosting;
using InstructTune.Storage;

namespace InstructTune.Evaluation.Suites;

/// <summary>The suites that exist.</summary>
internal sealed class SuiteCatalog(IDocumentStore documents, IDatasets datasets)
{
    private const string Collection = "evaluation-suites";

    /// <summary>Creates a suite, its datasets pinned to versions; or returns the one of this id if it has the same content.</summary>
    public async Task<Document<Suite>> CreateAsync(string id, Suite suite, CancellationToken ct)
    {
        var tasks = new List<SuiteTask>();
        foreach (var task in suite.Tasks)
        {
            tasks.Add(task with { DatasetVersion = await datasets.PinAsync(task.DatasetVersion, ct) });
        }
        var pinned = suite with { Tasks = tasks };
        documents.TryCreate(Collection, id, pinned);
        var stored = Get(id);
        return stored.Content.ContentSha256 == pinned.ContentSha256 ? stored : throw DomainException.Exists(Suite.NameOf(id));
    }

    public Document<Suite> Get(string id) => Find(id) ?? throw DomainException.NotFound(Suite.NameOf(id));

    public Document<Suite>? Find(string id) => documents.Find<Suite>(Collection, id);

    public DocumentPage<Suite> List(int pageSize, string pageToken) => documents.List<Suite>(Collection, pageSize, pageToken);
}
