using System.Text.Encodings.Web;
using System.Text.Json;
using InstructTune.Cli.Demo;
using InstructTune.Cli.Output;

namespace InstructTune.Cli.Report;

/// <summary>The report for people (report.html) and the same figures for programs (result.json).</summary>
internal static class ReportFiles
{
    // The file is read by programs and people, never put into a page: '+' may stay '+'.
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(string folder, DemoResult result)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "report.html");
        WholeFile.Write(path, HtmlReport.Render(result));
        WholeFile.Write(Path.Combine(folder, "result.json"), Json(result));
        return path;
    }

    public static string Json(DemoResult result) => JsonSerializer.Serialize(
        new
        {
            data = result.DataDescription,
            seed = result.Seed,
            seconds = Math.Round(result.Duration.TotalSeconds, 1),
            arms = result.Arms.Select(arm => new
            {
                title = arm.Title,
                model_version = arm.ModelVersion,
                last_loss = arm.Losses.Count > 0 ? arm.Losses[^1].Loss : (double?)null,
                scores = arm.Run!.Scores.Select(score => new
                {
                    metric = score.Metric, value = score.Value, lower = score.Lower, upper = score.Upper, examples = score.ExampleCount,
                }),
            }),
            comparisons = result.Comparison.Comparisons.Select(comparison => new
            {
                metric = comparison.Metric,
                difference = comparison.Difference,
                lower = comparison.Lower,
                upper = comparison.Upper,
                p_value = comparison.PValue,
                adjusted_p_value = comparison.AdjustedPValue,
                verdict = EvaluationText.Say(comparison.Verdict),
                flags = comparison.Flags,
            }),
        },
        Indented);

    // Beside and then renamed, so that a reader never sees half a report.
}
