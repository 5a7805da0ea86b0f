using System.Text;
using InstructTune.Trainer.Reports;

namespace InstructTune.Unit.Tests.Trainer.Reports;

public sealed class ResultSummariesTests
{
    [Fact]
    public void Every_summary_of_the_reference_runs_comes_out_of_their_rows_byte_for_byte()
    {
        var files = ReferenceRun.Files("all_results.json").SelectMany(path => Directory.EnumerateFiles(Path.GetDirectoryName(path)!, "*_results.json")).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, path =>
        {
            var state = ReferenceRun.Read(Path.Combine(Path.GetDirectoryName(path)!, "trainer_state.json"));
            var ours = ResultSummaries.Of(ReferenceRun.Rows(state)).Single(summary => summary.Name == Path.GetFileName(path));
            Assert.Equal(File.ReadAllText(path), Encoding.UTF8.GetString(ours.Content));
        });
    }

    [Fact]
    public void A_run_without_validation_has_no_summary_of_one()
    {
        var rows = StepRowsTests.Rows(validationSets: 0);
        Assert.Equal(
            [ResultSummaries.Training, ResultSummaries.All],
            ResultSummaries.Of([.. rows, StepRows.End(rows[0], 5, 1.5, 32, 1e6)]).Select(summary => summary.Name));
    }
}
