using InstructTune.Cli.Demo;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Report;

/// <summary>What the comparison says, in sentences, with what it does not say.</summary>
internal static class Conclusions
{
    public static IEnumerable<string> Of(CompareEvaluationRunsResponse response) => response.Comparisons.Select(comparison =>
        $"{EvaluationText.ShortMetric(comparison.Metric)}: {EvaluationText.Sentence(comparison, DemoArm.TwoStageTitle, DemoArm.SpecialistTitle)}"
        + $" (difference {Formats.Signed(comparison.Difference)}, 95% interval {Formats.Signed(comparison.Lower)} to"
        + $" {Formats.Signed(comparison.Upper)}, adjusted p {Formats.PValue(comparison.AdjustedPValue)}).");

    public static IEnumerable<string> Caveats(CompareEvaluationRunsResponse response) =>
        response.Comparisons.SelectMany(comparison => comparison.Flags).Distinct(StringComparer.Ordinal).Select(EvaluationText.Explain);
}
