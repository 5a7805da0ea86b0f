using InstructTune.Cli.CommandLine;
using InstructTune.V1;
using Comparison = InstructTune.V1.CompareEvaluationRunsResponse.Types.Comparison;
using Verdict = InstructTune.V1.CompareEvaluationRunsResponse.Types.Verdict;

namespace InstructTune.Cli.Output;

/// <summary>Scores and comparisons as people read them.</summary>
internal static class EvaluationText
{
    public static void Write(Terminal terminal, IEnumerable<EvaluationRun> runs)
    {
        var grid = new Grid("model", "task", "metric", "score", "95% interval", "examples");
        foreach (var run in runs)
        {
            foreach (var score in run.Scores)
            {
                grid.Add(
                    Names.Short(run.ModelVersion),
                    score.TaskId,
                    ShortMetric(score.Metric),
                    Formats.Score(score.Value),
                    Formats.Interval(score.Lower, score.Upper),
                    Formats.Count(score.ExampleCount));
            }
        }

        grid.WriteTo(terminal);
    }

    public static void Write(Terminal terminal, CompareEvaluationRunsResponse response, IReadOnlyList<string> titles)
    {
        var grid = new Grid("compared with " + titles[0], "task", "metric", "difference", "95% interval", "p (adjusted)", "won/lost/tied", "verdict");
        foreach (var comparison in response.Comparisons)
        {
            grid.Add(
                titles[comparison.ArmIndex],
                comparison.TaskId,
                ShortMetric(comparison.Metric),
                Formats.Signed(comparison.Difference),
                $"{Formats.Signed(comparison.Lower)} to {Formats.Signed(comparison.Upper)}",
                Formats.PValue(comparison.AdjustedPValue),
                $"{comparison.Wins}/{comparison.Losses}/{comparison.Ties}",
                Say(comparison.Verdict));
        }

        grid.WriteTo(terminal);
        foreach (var flag in response.Comparisons.SelectMany(comparison => comparison.Flags).Distinct(StringComparer.Ordinal))
        {
            terminal.Note("Note: " + Explain(flag));
        }
    }

    public static string ShortMetric(string metric) => metric.Split('/')[0];

    public static string Say(Verdict verdict) => verdict switch
    {
        Verdict.Better => "better",
        Verdict.Worse => "worse",
        Verdict.Equivalent => "equivalent",
        _ => "undecided",
    };

    /// <summary>A sentence for one comparison.</summary>
    public static string Sentence(Comparison comparison, string arm, string baseline) => comparison.Verdict switch
    {
        Verdict.Better => $"{arm} is better than {baseline}",
        Verdict.Worse => $"{arm} is worse than {baseline}",
        Verdict.Equivalent => $"{arm} and {baseline} are equivalent",
        _ => $"whether {arm} differs from {baseline} is undecided",
    };

    public static string Explain(string flag) => flag switch
    {
        "BELOW_MARGIN" => "a difference is shown, but it is smaller than the margin that matters.",
        "SEED_VARIANCE_NOT_MEASURED" => "one seed: this is about these models, not about the ways they were trained.",
        "FEW_DISAGREEMENTS" => "the models answer so few examples differently that the test has little power.",
        _ => flag,
    };
}
