using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using InstructTune.Cli.Demo;
using InstructTune.Cli.Report;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli.Report;

public sealed partial class ReportTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void A_loss_curve_is_sound_SVG_with_one_line_per_arm()
    {
        var svg = XElement.Parse(LossCurvePlot.Render([Curve("a & b", -5), Curve("c", 0)]));
        Assert.Equal(2, svg.Elements(Svg + "polyline").Count());
        Assert.Contains(svg.Elements(Svg + "text"), text => text.Value == "a & b");
        Assert.Contains(svg.Elements(Svg + "text"), text => text.Value == "generalist");
    }

    [Fact]
    public void A_falling_loss_falls_in_the_picture()
    {
        var svg = XElement.Parse(LossCurvePlot.Render([new LossCurve("a", "#000", [(0, 4), (1, 2), (2, 1)])]));
        var heights = svg.Element(Svg + "polyline")!.Attribute("points")!.Value.Split(' ')
            .Select(point => double.Parse(point.Split(',')[1], CultureInfo.InvariantCulture)).ToList();
        // Pixels are counted from the top.
        Assert.Equal(heights.Order(), heights);
    }

    [Fact]
    public void A_score_stands_between_the_ends_of_its_interval()
    {
        var svg = XElement.Parse(ScorePlot.Render([new ScorePoint("rougeL", "base", "#000", 0.5, 0.4, 0.6)]));
        var centre = Number(svg.Element(Svg + "circle")!, "cx");
        var whisker = svg.Elements(Svg + "line").Single(line => Number(line, "y1") == Number(line, "y2") && Number(line, "x1") != Number(line, "x2"));
        Assert.Equal(centre, (Number(whisker, "x1") + Number(whisker, "x2")) / 2, 1);
    }

    [Fact]
    public void The_report_fetches_nothing()
    {
        var html = HtmlReport.Render(Result());
        Assert.DoesNotMatch(Fetching(), html.Replace(Svg.NamespaceName, "", StringComparison.Ordinal));
    }

    [Fact]
    public void Text_of_models_cannot_become_markup()
    {
        var html = HtmlReport.Render(Result());
        Assert.DoesNotContain("<b>bold</b>", html, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;bold&lt;/b&gt;", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_says_verdict_interval_and_caveat()
    {
        var html = HtmlReport.Render(Result());
        Assert.Contains("generalist, then specialist is better than specialist only (difference +0.050, 95% interval +0.020 to +0.080", html, StringComparison.Ordinal);
        Assert.Contains("one seed", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_way_to_train_is_one_row_with_the_mean_over_its_seeds()
    {
        var arms = new[] { Scored(DemoArm.BaseTitle, 0, 0.25, null), Scored(DemoArm.SpecialistTitle, 0, 0.5, new()), Scored(DemoArm.SpecialistTitle, 1, 0.75, new()) };

        Assert.Equal(["model", "rougeL", "seeds", "questions"], SeedSummary.Headers(arms));
        Assert.Equal(
            [[DemoArm.BaseTitle, "0.250", "-", "10"], [DemoArm.SpecialistTitle, "0.625 (0.500 to 0.750)", "2", "10"]],
            SeedSummary.Rows(arms));
    }

    [Fact]
    public void Steps_are_counted_from_the_start_of_the_last_stage()
    {
        var arm = new DemoArm("x", "#000", "m")
        {
            Losses = [new("generalist", 1, 4), new("generalist", 2, 3), new("specialist", 3, 2), new("specialist", 4, 1)],
        };
        Assert.Equal([-2, -1, 0, 1], HtmlReport.Curve(arm).Points.Select(point => point.Step));
    }

    [Fact]
    public void The_figures_for_programs_are_those_of_the_report()
    {
        using var json = JsonDocument.Parse(ReportFiles.Json(Result()));
        var root = json.RootElement;
        Assert.Equal(0.5, root.GetProperty("arms")[0].GetProperty("scores")[0].GetProperty("value").GetDouble());
        Assert.Equal("better", root.GetProperty("comparisons")[0].GetProperty("verdict").GetString());
    }

    private static LossCurve Curve(string name, int first) =>
        new(name, "#123456", [.. Enumerable.Range(first, 10).Select(step => ((double)step, 3.0 - (step * 0.1)))]);

    private static DemoArm Scored(string way, int seed, double value, FineTuneJob? job) => new(way, "#123456", "models/x/versions/1")
    {
        SeedIndex = seed,
        Job = job,
        Run = new EvaluationRun { Scores = { new EvaluationRun.Types.TaskScore { TaskId = "t", Metric = "rougeL/x", Value = value, ExampleCount = 10 } } },
    };

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static DemoResult Result()
    {
        var run = new EvaluationRun();
        run.Scores.Add(new EvaluationRun.Types.TaskScore { TaskId = "t", Metric = "rougeL/x", Value = 0.5, Lower = 0.4, Upper = 0.6, ExampleCount = 10 });
        var answer = new EvaluationResult { Prompt = "say it", Answer = "<b>bold</b>", References = { "plain" } };
        DemoArm Arm(string title) => new(title, "#123456", "models/x/versions/1") { Run = run, Answers = [answer] };
        var comparison = new CompareEvaluationRunsResponse();
        comparison.Comparisons.Add(new CompareEvaluationRunsResponse.Types.Comparison
        {
            ArmIndex = 1, TaskId = "t", Metric = "rougeL/x", Difference = 0.05, Lower = 0.02, Upper = 0.08, AdjustedPValue = 0.01,
            Verdict = CompareEvaluationRunsResponse.Types.Verdict.Better, Flags = { "SEED_VARIANCE_NOT_MEASURED" },
        });
        return new DemoResult(
            "a world", new ModelVersion { Architecture = "LlamaForCausalLM" }, DemoPlan.Synthetic(), 1,
            [Arm(DemoArm.BaseTitle), Arm(DemoArm.SpecialistTitle), Arm(DemoArm.TwoStageTitle)], comparison, comparison, TimeSpan.FromSeconds(100));
    }

    [GeneratedRegex(@"https?://|src=|<link|@import|url\(")]
    private static partial Regex Fetching();
}
