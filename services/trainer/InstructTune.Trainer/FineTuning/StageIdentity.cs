using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace InstructTune.Trainer.FineTuning;

/// <summary>
/// What makes a trained stage what it is: what it starts from, its data, its settings, the seed, the prompt format and the numerics. Equal identities
/// give equal weights, bit for bit. Names, cadence of checkpoints and attempts are no part of it. Pure.
/// </summary>
internal static class StageIdentity
{
    private const int Version = 2;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    /// <summary>One digest for each stage, in order: each has that of the stage before as an input.</summary>
    public static IReadOnlyList<string> Of(FineTuneOrder order, string promptFormatSha256, IReadOnlyDictionary<string, string> numerics)
    {
        var parents = new List<string> { order.BaseManifestSha256 };
        if (order.AdapterManifestSha256.Length > 0)
        {
            parents.Add(order.AdapterManifestSha256);
        }

        parents.AddRange(order.BaseAdapters);
        if (order.OptimizerManifestSha256.Length > 0)
        {
            parents.Add(order.OptimizerManifestSha256);
        }

        var identities = new List<string>();
        for (var i = 0; i < order.Spec.Stages.Count; i++)
        {
            identities.Add(Digest(new JsonObject
            {
                ["kind"] = "train",
                ["v"] = Version,
                ["inputs"] = new JsonArray([.. parents.Append(order.Datasets[i].ContentSha256).Select(input => JsonValue.Create(input))]),
                ["params"] = Parameters(order, i),
                ["prompt_format"] = promptFormatSha256,
                ["numerics"] = JsonSerializer.SerializeToNode(numerics, Json),
            }));
            parents = [identities[^1]];
        }

        return identities;
    }

    private static JsonObject Parameters(FineTuneOrder order, int index)
    {
        var (spec, stage) = (order.Spec, order.Spec.Stages[index]);

        // What is best matters to the weights only where the best is kept, or where the stage ends for want of it.
        var validation = (spec.CheckpointKeepBest || stage.EarlyStoppingPatience > 0) && order.Validation.TryGetValue(stage.StageId, out var sets)
            ? spec.BestMetric + " " + sets[0].ContentSha256
            : "";
        var settings = stage with
        {
            Dataset = "",
            Mix = stage.Mix is not { } mix ? null : mix with { Components = [.. mix.Components.Select(component => component with { Version = "" })] },
            Method = spec.MethodOf(stage),
            ValidationDatasets = [],
            ValidationMetrics = [],
            ValidationGenerateExamples = validation.Length > 0 && spec.BestMetric != ValidationMetric.Loss ? stage.ValidationGenerateExamples : 0,
            ValidationEverySteps = validation.Length > 0 ? stage.ValidationEverySteps : 0,
        };
        return new JsonObject
        {
            ["stage"] = JsonSerializer.SerializeToNode(settings, Json),
            ["precision"] = spec.Precision.ToString(),
            ["keep_best"] = validation.Length > 0 && spec.CheckpointKeepBest,
            ["seed"] = spec.Seed,
            ["validation"] = validation,
            ["divergence"] = JsonSerializer.SerializeToNode(spec.Divergence, Json),
        };
    }

    private static string Digest(JsonObject node) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(Sorted(node))));

    // Members in ordinal order, so that the order of declarations means nothing.
    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal)
            .Select(member => KeyValuePair.Create(member.Key, Sorted(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}
