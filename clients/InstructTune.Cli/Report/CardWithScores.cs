using System.Globalization;
using System.Text;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Report;

/// <summary>Puts the results of evaluation runs into a model card: into its front matter as hubs read them, and as a table. Pure.</summary>
internal static class CardWithScores
{
    private const string Border = "---\n";
    private const string Heading = "## Evaluation\n\n";

    public static string Render(string card, string modelVersion, IReadOnlyList<EvaluationRun> runs)
    {
        var scores = runs.SelectMany(run => run.Scores.Select(score => (Run: run, Score: score))).ToList();
        var end = card.StartsWith(Border, StringComparison.Ordinal) ? card.IndexOf("\n" + Border, StringComparison.Ordinal) + 1 : 0;
        if (scores.Count == 0 || end <= 0)
        {
            return card;
        }

        var text = new StringBuilder(card).Insert(end, FrontMatter(modelVersion, scores, !card[..end].Contains("\nmetrics:", StringComparison.Ordinal)));
        var heading = text.ToString().IndexOf(Heading, StringComparison.Ordinal);
        return heading < 0 ? text.ToString() : text.Insert(heading + Heading.Length, Table(scores)).ToString();
    }

    private static string FrontMatter(string modelVersion, IReadOnlyList<(EvaluationRun Run, EvaluationRun.Types.TaskScore Score)> scores, bool hasRoom)
    {
        var text = new StringBuilder();
        if (hasRoom)
        {
            text.Append("metrics:\n");
            foreach (var metric in scores.Select(pair => Plain(pair.Score.Metric)).Distinct(StringComparer.Ordinal))
            {
                text.Append(CultureInfo.InvariantCulture, $"- {metric}\n");
            }
        }

        text.Append(CultureInfo.InvariantCulture, $"model-index:\n- name: {Names.Short(modelVersion)}\n  results:\n");
        foreach (var (run, score) in scores)
        {
            var suite = run.Suite.Split('/')[^1];
            text.Append(CultureInfo.InvariantCulture, $"  - task:\n      type: text-generation\n      name: {score.TaskId}\n    dataset:\n      type: {suite}\n      name: {suite}\n")
                .Append(CultureInfo.InvariantCulture, $"    metrics:\n    - type: {Plain(score.Metric)}\n      value: {score.Value:0.######}\n      name: {score.Metric}\n");
        }

        return text.ToString();
    }

    private static string Table(IEnumerable<(EvaluationRun Run, EvaluationRun.Types.TaskScore Score)> scores)
    {
        var text = new StringBuilder("| suite | task | metric | score | 95% interval | examples |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach (var (run, score) in scores)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {run.Suite.Split('/')[^1]} | {score.TaskId} | {score.Metric} | {Formats.Score(score.Value)} | {Formats.Interval(score.Lower, score.Upper)} | {score.ExampleCount} |\n");
        }

        return text.Append('\n').ToString();
    }

    // Hubs know metrics by a word; the form in which it was computed stays beside it.
    private static string Plain(string metric) => metric.Split('/')[0].ToLowerInvariant();
}
