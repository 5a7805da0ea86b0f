using System.Text.Json;
using InstructTune.Metrics;
using InstructTune.Metrics.Answers;
using InstructTune.Metrics.Ranking;
using InstructTune.Metrics.Rouge;

namespace InstructTune.Unit.Tests.Metrics.Parity;

/// <summary>Normal forms, exact match, F1 and choices against the reference programs.</summary>
public sealed class AnswerParityTests
{
    [Fact]
    public void Every_answer_has_the_normal_forms_and_scores_of_tk_instruct_and_squad()
    {
        foreach (var row in ReferenceFolder.Rows("metrics/answers.jsonl"))
        {
            var (prediction, reference) = (row.Text("prediction"), row.Text("reference"));
            Assert.Equal(row.Text("tk_normalized_prediction"), TkInstruct.Normalize(prediction));
            Assert.Equal(row.Text("tk_normalized_reference"), TkInstruct.Normalize(reference));
            Assert.Equal(row.GetProperty("tk_exact_match").GetBoolean(), TkInstruct.ExactMatch(reference, prediction));
            Assert.Equal(row.Text("squad_normalized_prediction"), Squad.Normalize(prediction));
            Assert.Equal(row.Text("squad_normalized_reference"), Squad.Normalize(reference));
            Assert.Equal(row.Number("squad_exact_match") == 1, Squad.ExactMatch(reference, prediction));
            Assert.Equal(row.Number("squad11_f1"), Squad.F1(reference, prediction), 1e-12);
        }
    }

    [Fact]
    public void Each_metric_takes_its_own_best_reference()
    {
        foreach (var row in ReferenceFolder.Rows("metrics/tk_instruct_multi_reference.jsonl"))
        {
            var (prediction, references) = (row.Text("prediction"), row.GetProperty("references").Texts());
            var rouge1 = BestReference.Score(references, prediction, (r, p) => RougeMetric.RougeN(r, p, 1, stem: true).FMeasure);
            Assert.Equal(row.Number("exact_match"), Generated("em").Score(references, prediction), 1e-12);
            Assert.Equal(row.Number("rouge1"), rouge1, 1e-12);
            Assert.Equal(row.Number("rougeL"), Generated("rougeL").Score(references, prediction), 1e-12);
        }
    }

    [Fact]
    public void Answers_of_a_real_model_have_the_recorded_scores()
    {
        foreach (var row in ReferenceFolder.Rows("superni/generation.jsonl"))
        {
            var references = row.GetProperty("references").Texts();
            foreach (var answer in (string[])["prediction", "first_line"])
            {
                Assert.Equal(row.Number(answer + "_rougeL"), Generated("rougeL").Score(references, row.Text(answer)), 1e-12);
                Assert.Equal(row.Number(answer + "_em"), Generated("em").Score(references, row.Text(answer)), 1e-12);
            }
        }
    }

    [Fact]
    public void Log_probabilities_of_a_real_model_choose_the_recorded_options()
    {
        foreach (var row in ReferenceFolder.Rows("superni/ranking.jsonl"))
        {
            var options = row.GetProperty("options").Texts();
            foreach (var delimiter in row.GetProperty("delimiters").EnumerateObject())
            {
                var logprobs = delimiter.Value.GetProperty("ll").Numbers();
                Assert.Equal(delimiter.Value.Number("acc"), OptionRanking.Choose(logprobs));
                Assert.Equal(delimiter.Value.Number("acc_norm"), OptionRanking.ChooseByLength(logprobs, options));
            }
        }
    }

    // Means over the first 100 instances of each held-out task, to six places as published.
    [Theory]
    [InlineData("copy-demo", 22.977473, 29.501081, 29.136184)]
    [InlineData("copy-input", 0.186092, 16.609746, 15.123566)]
    public void Baselines_on_super_natural_instructions_score_as_published(string baseline, double em, double rouge1, double rougeL)
    {
        var rows = Directory.GetFiles(ReferenceFolder.Require("../data/superni/test"), "*.json").SelectMany(file => Baseline(file, baseline)).ToList();
        Assert.Equal(10_210, rows.Count);
        Assert.Equal(em, 100 * rows.Average(row => Generated("em").Score(row.References, row.Answer)), 1e-6);
        Assert.Equal(rougeL, 100 * rows.Average(row => Generated("rougeL").Score(row.References, row.Answer)), 1e-6);
        Assert.Equal(rouge1, 100 * rows.Average(row => BestReference.Score(
            row.References, row.Answer, (r, p) => RougeMetric.RougeN(r, p, 1, stem: true).FMeasure)), 1e-6);
    }

    private static IEnumerable<(string[] References, string Answer)> Baseline(string file, string baseline)
    {
        var task = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        var demonstration = task.GetProperty("Positive Examples")[0].Text("output");
        return task.GetProperty("Instances").EnumerateArray().Take(100).Select(instance =>
            (instance.GetProperty("output").Texts(), baseline == "copy-demo" ? demonstration : instance.Text("input")));
    }

    private static GeneratedAnswerMetric Generated(string id) => Assert.IsType<GeneratedAnswerMetric>(MetricDefinition.Find(id));
}
