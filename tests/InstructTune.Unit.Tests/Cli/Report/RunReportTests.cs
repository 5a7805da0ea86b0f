using System.Text.RegularExpressions;
using System.Xml.Linq;
using InstructTune.Cli.Report.Runs;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli.Report;

public sealed partial class RunReportTests
{
    [Fact]
    public void It_fetches_nothing_and_runs_nothing()
    {
        var page = RunReport.Render(Facts());
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", page, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_curve_is_well_formed_and_says_in_words_what_it_shows()
    {
        var pictures = Pictures(RunReport.Render(Facts()));
        Assert.Equal(["Loss", "Validation metrics", "Learning rate", "Gradient norm", "Speed"], pictures.Select(svg => svg.Attribute("aria-label")!.Value));
        Assert.Equal("training loss: 8 points, from 3 at step 1 to 2.125 at step 8, smallest 2.125, largest 3. validation loss: 1 points, from 2.5 at step 8 to 2.5 at step 8, smallest 2.5, largest 2.5.", pictures[0].Element("desc")!.Value);
        Assert.All(pictures, svg => Assert.NotEmpty(svg.Elements("polyline")));
    }

    [Fact]
    public void The_borders_of_stages_are_drawn_and_named()
    {
        var loss = Pictures(RunReport.Render(Facts()))[0];
        Assert.Single(loss.Elements("line"), line => line.Attribute("class")!.Value == "border");
        Assert.Equal(["generalist", "specialist"], loss.Elements("text").Where(text => text.Attribute("class")?.Value == "stage").Select(text => text.Value));
    }

    [Fact]
    public void What_came_from_data_cannot_become_markup()
    {
        var page = RunReport.Render(Facts() with { Samples = [new Sample("s", "<b>x</b>", "&", "<script>")] });
        Assert.Contains("&lt;b&gt;x&lt;/b&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_without_a_step_has_a_page_too() =>
        Assert.Contains("No step was reported yet.", RunReport.Render(Facts() with { Rows = [] }), StringComparison.Ordinal);

    private static List<XElement> Pictures(string page) => [.. Picture().Matches(page).Select(match => XElement.Parse(match.Value))];

    private static RunFacts Facts()
    {
        var job = new FineTuneJob
        {
            Name = "fineTuneJobs/first",
            Spec = new FineTuneSpec
            {
                BaseModel = "models/base/versions/1",
                Stages = { new FineTuneSpec.Types.Stage { StageId = "generalist", Dataset = "datasets/broad" }, new FineTuneSpec.Types.Stage { StageId = "specialist", Dataset = "datasets/task" } },
            },
            Job = new JobStatus { State = JobState.Running, Attempt = 1 },
            Stages = { new FineTuneJob.Types.StageStatus { StageId = "generalist", PlannedSteps = 4, CompletedSteps = 4 }, new FineTuneJob.Types.StageStatus { StageId = "specialist", PlannedSteps = 4, CompletedSteps = 4 } },
        };
        return new RunFacts { Job = job, Rows = [.. Enumerable.Range(1, 8).Select(Row)], Events = [], Now = DateTimeOffset.UnixEpoch };
    }

    private static ListTrainingMetricsResponse.Types.Row Row(int step)
    {
        var row = new ListTrainingMetricsResponse.Types.Row
        {
            Step = step, StageId = step <= 4 ? "generalist" : "specialist",
            Values = { ["training_loss"] = 3.125 - (step / 8.0), ["learning_rate"] = 1e-4 * step, ["gradient_norm"] = 1, ["tokens_per_second"] = 100 + step },
        };
        if (step == 8)
        {
            row.Values["validation_loss"] = 2.5;
            row.Values["rouge_l"] = 0.5;
        }

        return row;
    }

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Picture();
}
