using InstructTune.Trainer.FineTuning;
using InstructTune.V1;

namespace InstructTune.Trainer.Peers;

/// <summary>Pins datasets to versions.</summary>
internal sealed class DatasetCatalog(DatasetService.DatasetServiceClient datasets, TimeProvider time)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>The version itself, or the newest of a dataset.</summary>
    public async Task<DatasetFacts> PinAsync(string name, CancellationToken ct)
    {
        var versionName = name.Split('/').Length == 2 ? name + "/versions/latest" : name;
        var version = await datasets.GetDatasetVersionAsync(
            new GetDatasetVersionRequest { Name = versionName }, deadline: (time.GetUtcNow() + Deadline).UtcDateTime, cancellationToken: ct);
        return new DatasetFacts(version.Name, version.ContentSha256, version.ExampleCount);
    }
}
