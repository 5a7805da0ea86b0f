using System.Text.Json.Serialization;
using InstructTune.Metrics;

namespace InstructTune.Evaluation.Suites;

/// <summary>One dataset version and how to mark answers to it, every default written in.</summary>
internal sealed record SuiteTask
{
    public const int DefaultMaxOutputTokens = 128;

    public required string TaskId { get; init; }

    public required string DatasetVersion { get; init; }

    /// <summary>Long ids, the leading one first.</summary>
    public required IReadOnlyList<string> Metrics { get; init; }

    public required Sampling Sampling { get; init; }

    public required int MaxOutputTokens { get; init; }

    public required IReadOnlyList<string> StopSequences { get; init; }

    /// <summary>Size of the seeded subset; 0 means all examples.</summary>
    public required long MaxExamples { get; init; }

    [JsonIgnore]
    public IReadOnlyList<GeneratedAnswerMetric> GeneratedMetrics => [.. Definitions.OfType<GeneratedAnswerMetric>()];

    [JsonIgnore]
    public IReadOnlyList<ChoiceMetric> ChoiceMetrics => [.. Definitions.OfType<ChoiceMetric>()];

    private IEnumerable<MetricDefinition> Definitions => Metrics.Select(id =>
        MetricDefinition.Find(id) ?? throw new InvalidDataException($"Task {TaskId} names the metric {id}, which this version does not have."));
}

/// <summary>How the next token is chosen; what is null takes the default of the inference service.</summary>
internal sealed record Sampling
{
    public double? Temperature { get; init; }

    public double? TopP { get; init; }

    public int? TopK { get; init; }

    public double? MinP { get; init; }

    public double? RepetitionPenalty { get; init; }

    public double? PresencePenalty { get; init; }

    public double? FrequencyPenalty { get; init; }

    public int? MinTokens { get; init; }

    public static Sampling Greedy { get; } = new() { Temperature = 0 };
}
