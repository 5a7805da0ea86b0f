using System.Globalization;
using System.Net;
using System.Text;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Demo;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Report;

/// <summary>The demonstration as one HTML file that fetches nothing.</summary>
internal static class HtmlReport
{
    private const string Style =
        """
        body { font: 15px/1.5 sans-serif; color: #222; max-width: 860px; margin: 2rem auto; padding: 0 1rem; }
        table { border-collapse: collapse; margin: .5rem 0 1rem; } th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } svg { max-width: 100%; height: auto; }
        .verdict { background: #f3f6fa; padding: .6rem 1rem; } .small { color: #666; font-size: .9em; } pre { white-space: pre-wrap; margin: 0; font: inherit; }
        """;

    public static string Render(DemoResult result)
    {
        var page = new StringBuilder();
        page.AppendLine("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>InstructTune demonstration</title>");
        page.AppendLine($"<style>{Style}</style></head><body>");
        page.AppendLine("<h1>Does a generalist stage before the specialist stage help?</h1>");
        page.AppendLine($"<p>Data: {E(result.DataDescription)}.</p>");
        WriteVerdict(page, result.Comparison);
        page.AppendLine("<h2>Scores on held-out data</h2>");
        page.AppendLine("<p class=\"small\">Means over seeds, with the least and the greatest; every seed's below.</p>");
        page.AppendLine(Table(SeedSummary.Headers(result.Arms), SeedSummary.Rows(result.Arms)));
        page.AppendLine(ScorePlot.Render(ScorePoints(result.Arms)));
        page.AppendLine(Table(["model", "metric", "score", "95% interval", "examples"], ScoreRows(result.Arms)));
        page.AppendLine("<h2>Comparison, example by example</h2>");
        page.AppendLine(Comparisons(result.Comparison, [DemoArm.SpecialistTitle, DemoArm.TwoStageTitle]));
        page.AppendLine(Comparisons(result.AgainstBase, [DemoArm.BaseTitle, DemoArm.SpecialistTitle, DemoArm.TwoStageTitle]));
        page.AppendLine("<h2>Training loss</h2>");
        page.AppendLine(LossCurvePlot.Render([.. result.Arms.Where(arm => arm.Losses.Count > 0).Select(Curve)]));
        WriteAnswers(page, [.. result.Arms.Where(arm => arm.IsFirstSeed)]);
        WriteSettings(page, result);
        page.AppendLine("</body></html>");
        return page.ToString();
    }

    /// <summary>Steps are counted from the start of the last stage, where the arms begin to do the same.</summary>
    internal static LossCurve Curve(DemoArm arm)
    {
        var lastStage = arm.Losses[^1].StageId;
        var first = arm.Losses.First(report => report.StageId == lastStage).Step;
        return new LossCurve(arm.Way, arm.Colour, [.. arm.Losses.Select(report => ((double)(report.Step - first), report.Loss))]);
    }

    private static void WriteVerdict(StringBuilder page, CompareEvaluationRunsResponse comparison)
    {
        page.AppendLine("<div class=\"verdict\">");
        foreach (var sentence in Conclusions.Of(comparison))
        {
            page.AppendLine($"<p>{E(sentence)}</p>");
        }

        foreach (var caveat in Conclusions.Caveats(comparison))
        {
            page.AppendLine($"<p class=\"small\">Note: {E(caveat)}</p>");
        }

        page.AppendLine("</div>");
    }

    private static List<ScorePoint> ScorePoints(IReadOnlyList<DemoArm> arms) =>
    [
        .. arms.SelectMany(arm => arm.Run!.Scores.Select((score, index) => (index, point: new ScorePoint(
                EvaluationText.ShortMetric(score.Metric), arm.Title, arm.Colour, score.Value, score.Lower, score.Upper))))
            .OrderBy(pair => pair.index)
            .Select(pair => pair.point),
    ];

    private static IEnumerable<string[]> ScoreRows(IReadOnlyList<DemoArm> arms) => arms.SelectMany(arm => arm.Run!.Scores.Select(score => new[]
    {
        arm.Title, score.Metric, Formats.Score(score.Value), Formats.Interval(score.Lower, score.Upper), Formats.Count(score.ExampleCount),
    }));

    private static string Comparisons(CompareEvaluationRunsResponse response, IReadOnlyList<string> ways) => Table(
        [$"against {ways[0]}", "metric", "difference", "95% interval", "p (adjusted)", "won / lost / tied", "verdict"],
        response.Comparisons.Select(comparison => ComparisonRow(ways[comparison.ArmIndex], comparison)));

    private static string[] ComparisonRow(string way, CompareEvaluationRunsResponse.Types.Comparison comparison) =>
    [
        way,
        comparison.Metric,
        Formats.Signed(comparison.Difference),
        $"{Formats.Signed(comparison.Lower)} to {Formats.Signed(comparison.Upper)}",
        Formats.PValue(comparison.AdjustedPValue),
        $"{comparison.Wins} / {comparison.Losses} / {comparison.Ties}",
        EvaluationText.Say(comparison.Verdict),
    ];

    private static void WriteAnswers(StringBuilder page, IReadOnlyList<DemoArm> arms)
    {
        page.AppendLine("<h2>Some answers</h2>");
        var rows = arms[0].Answers.Select((answer, index) => (string[])
        [
            answer.Prompt,
            string.Join(" | ", answer.References),
            .. arms.Select(arm => index < arm.Answers.Count ? arm.Answers[index].Answer : ""),
        ]);
        page.AppendLine(Table(["prompt", "wanted", .. arms.Select(arm => arm.Title)], rows));
    }

    private static void WriteSettings(StringBuilder page, DemoResult result)
    {
        page.AppendLine("<h2>Settings</h2>");
        var rows = new List<string[]>
        {
            (string[])["base", $"{result.Base.Architecture}, {Formats.Count(result.Base.ParameterCount)} parameters, sha256 {result.Base.ManifestSha256}"],
            (string[])["seed", result.Seed.ToString(CultureInfo.InvariantCulture)],
            (string[])["took", Formats.Duration(result.Duration)],
        };
        foreach (var arm in result.Arms.Where(arm => arm.Job is not null))
        {
            rows.Add([arm.Title, $"{Names.Short(arm.ModelVersion)}, spec sha256 {arm.Job!.SpecSha256}"]);
            rows.AddRange(arm.Job.Spec.Stages.Select(stage => (string[])[$"{arm.Title}: {stage.StageId}", stage.ToString()]));
        }

        var numerics = result.Arms.Select(arm => arm.Job).FirstOrDefault(job => job is not null)?.Numerics;
        rows.AddRange((numerics ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (string[])[pair.Key, pair.Value]));
        page.AppendLine(Table(["setting", "value"], rows));
    }

    private static string Table(IEnumerable<string> headers, IEnumerable<IEnumerable<string>> rows)
    {
        var table = new StringBuilder("<table><tr>");
        table.AppendJoin("", headers.Select(header => $"<th>{E(header)}</th>")).AppendLine("</tr>");
        foreach (var row in rows)
        {
            table.Append("<tr>").AppendJoin("", row.Select(cell => $"<td><pre>{E(cell)}</pre></td>")).AppendLine("</tr>");
        }

        return table.Append("</table>").ToString();
    }

    private static string E(string text) => WebUtility.HtmlEncode(text);
}
