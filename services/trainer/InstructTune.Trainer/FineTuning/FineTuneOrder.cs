using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

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

    /// <summary>What the stages train on, in order.</summary>
    public required IReadOnlyList<DatasetFacts> Datasets { get; init; }

    private static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>
    /// Digest of the spec's canonical form: properties in declared order, numbers in their shortest form. The number of attempts is left out, as it
    /// does not change the weights.
    /// </summary>
    public static string Sha256(FineTuneSpec spec) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(spec with { MaxAttempts = 0 }, Json)));

    /// <summary>Resource name of a job.</summary>
    public static string JobName(string jobId) => "fineTuneJobs/" + jobId;

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static FineTuneOrder Parse(string json) =>
        JsonSerializer.Deserialize<FineTuneOrder>(json, Json) ?? throw new JsonException("a fine-tune job has an empty spec");
}
