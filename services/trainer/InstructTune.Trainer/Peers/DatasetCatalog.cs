using InstructTune.Hosting;
using InstructTune.Trainer.Data;
using InstructTune.Trainer.FineTuning;
using InstructTune.V1;

namespace InstructTune.Trainer.Peers;

/// <summary>Pins datasets to versions.</summary>
internal sealed class DatasetCatalog(DatasetService.DatasetServiceClient datasets, TimeProvider time)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>What a stage names: a version, or several and how they are mixed.</summary>
    public async Task<DatasetFacts> PinAsync(StageSpec stage, string field, CancellationToken ct)
    {
        if (stage.Mix is not { } mix)
        {
            return await PinAsync(stage.Dataset, ct);
        }

        var components = new List<DatasetFacts>();
        foreach (var component in mix.Components)
        {
            components.Add(await PinAsync(component.Version, ct));
        }

        Check(mix, components, field + ".mix");
        return DatasetFacts.OfMix(mix, components);
    }

    /// <summary>The version itself, or the newest of a dataset.</summary>
    public async Task<DatasetFacts> PinAsync(string name, CancellationToken ct)
    {
        var versionName = name.Split('/').Length == 2 ? name + "/versions/latest" : name;
        var version = await datasets.GetDatasetVersionAsync(
            new GetDatasetVersionRequest { Name = versionName }, deadline: (time.GetUtcNow() + Deadline).UtcDateTime, cancellationToken: ct);
        return new DatasetFacts(version.Name, version.ContentSha256, version.ExampleCount);
    }

    private static void Check(MixSpec mix, List<DatasetFacts> components, string field)
    {
        var violations = new FieldViolations();
        for (var i = 0; i < components.Count; i++)
        {
            var problem = MixPlan.Problem(mix.Components[i], components[i].ExampleCount);
            violations.Check(problem is null, FormattableString.Invariant($"{field}.components[{i}]"), problem ?? "");
        }

        violations.ThrowIfAny();
        var whole = MixPlan.Problem(mix, components);
        violations.Check(whole is null, field, whole ?? "");
        violations.ThrowIfAny();
    }
}
