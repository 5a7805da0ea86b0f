using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using InstructTune.Evaluation.Suites;
using InstructTune.Hosting;
using InstructTune.Jobs;

namespace InstructTune.Evaluation.Runs;

/// <summary>The runs that exist: jobs of the queue <c>evaluation</c>.</summary>
internal sealed class RunCatalog(
    [FromKeyedServices(RunCatalog.Queue)] JobStore jobs, SuiteCatalog suites, IModels models, TimeProvider clock)
{
    public const string Queue = "evaluation";

    /// <summary>Queues a run; null where the request id was used with other content.</summary>
    public async Task<JobRecord?> CreateAsync(RunRequest request, CancellationToken ct)
    {
        suites.Get(request.SuiteId);
        var model = await models.ResolveAsync(request.ModelVersion, ct);
        var spec = new RunSpec
        {
            SuiteId = request.SuiteId,
            ModelVersion = model.Version,
            ModelManifestSha256 = model.ManifestSha256,
            PromptFormatSha256 = model.PromptFormatSha256,
            Seed = request.Seed,
            Labels = request.Labels,
        }.ToJson();
        var created = await jobs.CreateAsync(
            new NewJob
            {
                Id = NewId(request.RequestId),
                RequestId = request.RequestId,
                BodySha256 = request.ContentSha256,
                Spec = spec,
                SpecSha256 = Sha256(spec),
                TraceParent = System.Diagnostics.Activity.Current?.Id ?? "",
            },
            ct);
        return created.Outcome == CreateOutcome.RequestReused ? null : await GetAsync(created.Id, ct);
    }

    public async Task<JobRecord> GetAsync(string id, CancellationToken ct) =>
        await jobs.GetAsync(id, ct) ?? throw DomainException.NotFound(RunSpec.NameOf(id));

    public Task<JobPage> ListAsync(int pageSize, string pageToken, CancellationToken ct) => jobs.ListAsync(pageSize, pageToken, ct);

    public async Task<JobRecord> CancelAsync(string id, CancellationToken ct)
    {
        await GetAsync(id, ct);
        await jobs.CancelAsync(id, ct: ct);
        return await GetAsync(id, ct);
    }

    // A request that is sent again names the same run, also where the first answer was lost on its way.
    private string NewId(string requestId) =>
        requestId.Length > 0 ? Sha256("run|" + requestId)[..32] : Guid.CreateVersion7(clock.GetUtcNow()).ToString("N");

    internal static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

/// <summary>A run as it was asked for.</summary>
internal sealed record RunRequest(
    string SuiteId, string ModelVersion, ulong Seed, IReadOnlyDictionary<string, string> Labels, string RequestId)
{
    /// <summary>Digest of what was asked, before <c>latest</c> was pinned: a repeat stays a repeat when the model has a newer version.</summary>
    public string ContentSha256 => RunCatalog.Sha256(JsonSerializer.Serialize(
        new { SuiteId, ModelVersion, Seed, Labels = Labels.OrderBy(label => label.Key, StringComparer.Ordinal) }));
}
