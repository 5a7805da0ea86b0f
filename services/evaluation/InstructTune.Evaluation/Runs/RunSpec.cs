using System.Text.Json;

namespace InstructTune.Evaluation.Runs;

/// <summary>One suite on one model, everything pinned.</summary>
internal sealed record RunSpec
{
    public const string NamePattern = "evaluationRuns/{evaluation_run}";

    public required string SuiteId { get; init; }

    public required string ModelVersion { get; init; }

    public required string ModelManifestSha256 { get; init; }

    public required string PromptFormatSha256 { get; init; }

    public required ulong Seed { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public static string NameOf(string id) => "evaluationRuns/" + id;

    public string ToJson() => JsonSerializer.Serialize(this);

    public static RunSpec Parse(string json) =>
        JsonSerializer.Deserialize<RunSpec>(json) ?? throw new InvalidDataException("The record of the run has no content.");
}
