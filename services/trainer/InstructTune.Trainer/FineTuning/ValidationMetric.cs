using InstructTune.Metrics.Answers;
using InstructTune.Metrics.Rouge;

namespace InstructTune.Trainer.FineTuning;

/// <summary>What a validation pass measures. Pure.</summary>
internal static class ValidationMetric
{
    /// <summary>In nats per token; the only one of which less is better.</summary>
    public const string Loss = "validation_loss";

    /// <summary>Of generated answers.</summary>
    public static readonly IReadOnlyList<string> Generated = ["rouge_l", "exact_match"];

    /// <summary>The name of a metric on the validation set of this place: the first has no number.</summary>
    public static string NameOf(string metric, int set) => set == 0 ? metric : FormattableString.Invariant($"{metric}_{set + 1}");

    /// <summary>How good an answer is, from 0 to 1.</summary>
    public static double Score(string metric, string reference, string answer) => metric switch
    {
        "rouge_l" => RougeMetric.RougeL(reference, answer, stem: true).FMeasure,
        "exact_match" => TkInstruct.ExactMatch(reference, answer) ? 1 : 0,
        _ => throw new ArgumentException($"{metric} is not measured in training", nameof(metric)),
    };

    /// <summary>Whether a value is better than the best so far by more than <paramref name="margin"/>.</summary>
    public static bool IsBetter(string metric, double value, double? best, double margin = 0) =>
        best is not { } before || (metric == Loss ? value < before - margin : value > before + margin);

    /// <summary>The same value as a number of which less is better.</summary>
    public static double CostOf(string metric, double value) => metric == Loss ? value : -value;
}
