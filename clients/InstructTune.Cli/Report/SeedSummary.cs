using InstructTune.Cli.Demo;
using InstructTune.Cli.Output;

namespace InstructTune.Cli.Report;

/// <summary>One row for each way to train: its scores as means over seeds, with the least and the greatest. Pure.</summary>
internal static class SeedSummary
{
    public static string[] Headers(IReadOnlyList<DemoArm> arms) => ["model", .. Metrics(arms), "seeds", "questions"];

    public static IEnumerable<string[]> Rows(IReadOnlyList<DemoArm> arms)
    {
        var metrics = Metrics(arms);
        return arms.GroupBy(arm => arm.Way, StringComparer.Ordinal).Select(way => (string[])
        [
            way.Key,
            .. metrics.Select(metric => Cell([.. way.Select(arm => Score(arm, metric))])),
            way.First().Job is null ? "-" : Formats.Count(way.Count()),
            Formats.Count(way.First().Run!.Scores.Max(score => score.ExampleCount)),
        ]);
    }

    private static List<string> Metrics(IReadOnlyList<DemoArm> arms) => [.. arms[0].Run!.Scores.Select(score => EvaluationText.ShortMetric(score.Metric))];

    private static double Score(DemoArm arm, string metric) => arm.Run!.Scores.First(score => EvaluationText.ShortMetric(score.Metric) == metric).Value;

    private static string Cell(IReadOnlyList<double> scores) => scores.Count == 1
        ? Formats.Score(scores[0])
        : $"{Formats.Score(scores.Average())} ({Formats.Interval(scores.Min(), scores.Max())})";
}
