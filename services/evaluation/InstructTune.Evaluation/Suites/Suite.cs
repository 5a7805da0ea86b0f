using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace InstructTune.Evaluation.Suites;

/// <summary>What to measure. Immutable: its hash names its content.</summary>
internal sealed record Suite(string DisplayName, IReadOnlyList<SuiteTask> Tasks)
{
    public const string NamePattern = "evaluationSuites/{evaluation_suite}";

    private static readonly JsonSerializerOptions CanonicalJson = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Lower-case hex SHA-256 of the canonical JSON: fields in the order of their declaration, absent ones left out.</summary>
    [JsonIgnore]
    public string ContentSha256 => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this, CanonicalJson)));

    public static string NameOf(string id) => "evaluationSuites/" + id;
}
