using System.Globalization;
using InstructTune.Dataset.Reading;
using InstructTune.Dataset.Versions;
using InstructTune.Storage;

namespace InstructTune.Dataset.Derivation;

/// <summary>Makes one version of every part of a split.</summary>
internal sealed class SplitHandler(VersionStore versions, ShardReader reader)
{
    public async Task<IReadOnlyDictionary<string, Document<VersionRecord>>> SplitAsync(
        string datasetId, Document<VersionRecord> source, SplitSpec spec, CancellationToken ct)
    {
        var plan = SplitPlan.Create(spec, await reader.OpenAsync(source.Content, 0, long.MaxValue, ct));
        var drafts = spec.Fractions.Keys.ToDictionary(part => part, _ => versions.CreateDraft());
        try
        {
            foreach (var example in await reader.OpenAsync(source.Content, 0, long.MaxValue, ct))
            {
                ct.ThrowIfCancellationRequested();
                drafts[plan.PartOf(example)].Append(example);
            }

            if (drafts.FirstOrDefault(d => d.Value.ExampleCount == 0).Key is { } empty)
            {
                throw new EmptyPartException(empty);
            }

            return await PublishAsync(datasetId, source.Id, spec, drafts, ct);
        }
        finally
        {
            foreach (var draft in drafts.Values)
            {
                draft.Dispose();
            }
        }
    }

    private async Task<Dictionary<string, Document<VersionRecord>>> PublishAsync(
        string datasetId, string sourceId, SplitSpec spec, Dictionary<string, VersionDraft> drafts, CancellationToken ct)
    {
        var parts = new Dictionary<string, Document<VersionRecord>>();
        foreach (var (part, draft) in drafts.OrderBy(d => d.Key, StringComparer.Ordinal))
        {
            var provenance = new Provenance { Parents = [$"datasets/{datasetId}/versions/{sourceId}"], Derivation = Describe(spec, part) };
            parts[part] = await versions.PublishAsync(datasetId, draft, provenance, ct);
        }

        return parts;
    }

    private static Dictionary<string, string> Describe(SplitSpec spec, string part) => new()
    {
        ["operation"] = "split",
        ["part"] = part,
        ["fraction"] = spec.Fractions[part].ToString("R", CultureInfo.InvariantCulture),
        ["seed"] = spec.Seed.ToString(CultureInfo.InvariantCulture),
        ["stratify_by_task"] = spec.StratifyByTask ? "true" : "false",
    };
}

/// <summary>No example falls into this part.</summary>
internal sealed class EmptyPartException(string part) : Exception($"the part {part} would be empty")
{
    public string Part { get; } = part;
}
