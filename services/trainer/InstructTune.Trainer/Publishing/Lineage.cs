using System.Globalization;
using InstructTune.Modeling.Numerics;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Trainer.Publishing;

/// <summary>What a version was made from, by role: enough to make it again. Pure.</summary>
internal static class Lineage
{
    /// <param name="order">The job.</param>
    /// <param name="promptFormatSha256">Digest of the format's definition with the base's tokenizer.</param>
    /// <param name="numerics">What the results depend on besides their inputs.</param>
    public static IReadOnlyDictionary<string, string> Of(FineTuneOrder order, string promptFormatSha256, IReadOnlyDictionary<string, string> numerics)
    {
        var lineage = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["base"] = $"{order.BaseVersion}@{order.BaseManifestSha256}",
            ["code"] = CodeVersion.Current,
            ["prompt_format"] = $"{order.Spec.PromptFormat}@{promptFormatSha256}",
            ["seed"] = order.Spec.Seed.ToString(CultureInfo.InvariantCulture),
            ["spec"] = FineTuneOrder.Sha256(order.Spec),
        };
        if (numerics.Count > 0)
        {
            lineage["numerics"] = NumericsFingerprint.ToText(numerics);
        }

        if (order.AdapterManifestSha256.Length > 0)
        {
            lineage["adapter"] = $"{order.Spec.BaseModel}@{order.AdapterManifestSha256}";
        }

        foreach (var (stage, dataset) in order.Spec.Stages.Zip(order.Datasets))
        {
            lineage[$"stage.{stage.StageId}"] = Named(dataset.Components.DefaultIfEmpty(dataset));
        }

        foreach (var (stage, datasets) in order.Validation)
        {
            lineage[$"validation.{stage}"] = Named(datasets);
        }

        return lineage;
    }

    private static string Named(IEnumerable<DatasetFacts> datasets) =>
        string.Join(' ', datasets.Select(dataset => $"{dataset.VersionName}@{dataset.ContentSha256}"));
}
