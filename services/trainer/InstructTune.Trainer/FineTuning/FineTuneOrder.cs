using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using InstructTune.Trainer.Publishing;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What a job is created from: the completed spec, what it pins, and how the result is to be named.</summary>
internal sealed record FineTuneOrder
{
    public required FineTuneSpec Spec { get; init; }

    public string DisplayName { get; init; } = "";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>ID of the model that receives the new version.</summary>
    public required string OutputModel { get; init; }

    public required string BaseManifestSha256 { get; init; }

    /// <summary>The adapter that the first stage goes on from; empty for none.</summary>
    public string AdapterManifestSha256 { get; init; } = "";

    /// <summary>Full weights under that adapter; else the base of the spec. Format: `models/{model}/versions/{version}`</summary>
    public string WeightsVersion { get; init; } = "";

    /// <summary>Frozen adapters between the full weights and that adapter, in order: the checkpoint that the job starts from was stacked.</summary>
    public IReadOnlyList<string> BaseAdapters { get; init; } = [];

    /// <summary>
    /// Whether the full weights are not those of <see cref="BaseVersion"/> but were made by the job whose checkpoint this one starts from; the version then only
    /// describes them.
    /// </summary>
    public bool HasUnnamedBase { get; init; }

    /// <summary>The optimizer's moments that the first stage goes on with; empty for a fresh start.</summary>
    public string OptimizerManifestSha256 { get; init; } = "";

    /// <summary>What the stages are validated on, by stage.</summary>
    [JsonPropertyName("validation_sets")]
    public IReadOnlyDictionary<string, IReadOnlyList<DatasetFacts>> Validation { get; init; } =
        new Dictionary<string, IReadOnlyList<DatasetFacts>>(StringComparer.Ordinal);

    /// <summary>What is made of the result for other programs; changes no weight, so it is no part of the spec.</summary>
    public IReadOnlyList<ExportKind> Exports { get; init; } = [];

    /// <summary>The same in orders of earlier releases, which had one set a stage.</summary>
    [JsonPropertyName("validation")]
    public IReadOnlyDictionary<string, DatasetFacts>? OneSetValidation { get; init; }

    /// <summary>What the stages train on, in order.</summary>
    public required IReadOnlyList<DatasetFacts> Datasets { get; init; }

    /// <summary>Full weights under everything that is trained. Format: `models/{model}/versions/{version}`</summary>
    [JsonIgnore]
    public string BaseVersion => WeightsVersion.Length > 0 ? WeightsVersion : Spec.BaseModel;

    private static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>
    /// Digest of the spec's canonical form: properties in declared order, numbers in their shortest form. What does not change the
    /// weights is left out: the number of attempts, and whether stages are reused.
    /// </summary>
    public static string Sha256(FineTuneSpec spec) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(spec with { MaxAttempts = 0, DisableStageReuse = false }, Json)));

    /// <summary>Resource name of a job.</summary>
    public static string JobName(string jobId) => "fineTuneJobs/" + jobId;

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static FineTuneOrder Parse(string json)
    {
        var order = JsonSerializer.Deserialize<FineTuneOrder>(json, Json) ?? throw new JsonException("a fine-tune job has an empty spec");
        return order with
        {
            Spec = order.Spec.BestMetric.Length > 0 ? order.Spec : order.Spec with { BestMetric = ValidationMetric.Loss },
            Validation = order.OneSetValidation?.ToDictionary(set => set.Key, set => (IReadOnlyList<DatasetFacts>)[set.Value], StringComparer.Ordinal) ?? order.Validation,
            OneSetValidation = null,
        };
    }
}
